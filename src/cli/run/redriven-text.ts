import type { RedrivenRun } from '../../server/index.ts'
import { shortId } from '../terminal/wording.ts'

/** What became of the wish to take a run up again. */
export function redrivenText({ id, state, behind }: RedrivenRun): string {
  if (state === 'queued' || behind === null) return `run ${shortId(id)} is queued again`
  return `run ${shortId(id)} waits behind run ${shortId(behind)} of its job, which is not finished`
}
