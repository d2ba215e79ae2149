import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { builtInLanes } from './to-lanes.ts'

/** Lanes that contradict themselves, and folders and accounts that belong to lanes that are not there. */
export function checkLanes(file: CastellanFile, source: YamlSource): Problem[] {
  const names = [...new Set([...Object.keys(file.lanes), ...builtInLanes])]
  const belongings = [
    ...Object.entries(file.folders).map(([name, { lanes }]) => ({ path: ['folders', name, 'lanes'], lanes })),
    ...Object.entries(file.mail.accounts).map(([name, { lanes }]) => ({ path: ['mail', 'accounts', name, 'lanes'], lanes })),
  ]
  return [
    ...Object.entries(file.lanes).flatMap(([name, lane]) => {
      const at = ['lanes', name, 'cloud_clearance']
      if (lane.worker === 'open' && lane.cloud_clearance === -1) {
        return [source.problem(at, `the lane ${name} is for the open worker, which may see nothing that a cloud model may not see, and its clearance is none`, 'write worker: private, or cloud_clearance: P1')]
      }
      return []
    }),
    ...belongings.flatMap(({ path, lanes }) =>
      lanes.flatMap((lane, at) =>
        names.includes(lane) ? [] : [source.problem([...path, at], `the lane ${lane} is not declared`, didYouMean(lane, names))])),
  ]
}
