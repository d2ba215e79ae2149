import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { describeProblem, loadHouse, type House, type JobDefinition, type Problem } from '../house/index.ts'
import { allTools } from '../tools/all-tools.ts'
import { toolCatalog, toolJobs } from './tool-jobs.ts'

export interface ChosenHouse {
  readonly house: House
  readonly jobs: readonly JobDefinition[]
  readonly problems: readonly Problem[]
  /** False: this is the last good house, because the folder has errors. */
  readonly fresh: boolean
}

/** Where the house is: what was asked for, else `$CASTELLAN_HOUSE`, else `house` in the home. */
export function houseFolder(home: string, asked: string | undefined): string {
  return asked ?? process.env.CASTELLAN_HOUSE ?? join(home, 'house')
}

/** Loads the operator's folder; when it has errors, the house that ran last goes on. @throws Fault `house.broken` when there is none */
export async function chooseHouse(folder: string, lastGood: () => Promise<House | undefined>): Promise<ChosenHouse> {
  if (!existsSync(folder)) throw new Fault('missing', 'house.missing', `there is no house at ${folder}; make one with \`castellan init ${folder}\``)
  const { house, problems } = await loadHouse(folder, { tools: toolCatalog(allTools) })
  if (house !== undefined) return { house, jobs: allJobs(house), problems, fresh: true }
  const last = await lastGood()
  if (last !== undefined) return { house: last, jobs: allJobs(last), problems, fresh: false }
  throw new Fault('invalid', 'house.broken', `the house at ${folder} has errors:\n${problems.map((problem) => `  ${describeProblem(problem)}`).join('\n')}`, { problems })
}

function allJobs(house: House): JobDefinition[] {
  return [...house.jobs, ...toolJobs(allTools)]
}
