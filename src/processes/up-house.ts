import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { describeProblem, loadHouse, type House, type JobDefinition, type Problem } from '../house/index.ts'
import { allTools } from '../tools/all-tools.ts'
import { toolCatalog, toolJobs } from './tool-jobs.ts'

export interface ReadHouse {
  /** Absent when the folder has errors. */
  readonly house?: House
  readonly problems: readonly Problem[]
}

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

/** Reads the operator's folder. @throws Fault `house.missing` */
export async function readHouse(folder: string): Promise<ReadHouse> {
  if (!existsSync(folder)) throw new Fault('missing', 'house.missing', `there is no house at ${folder}; make one with \`castellan init ${folder}\``)
  return loadHouse(folder, { tools: toolCatalog(allTools) })
}

/** The house that was read; when it has errors, the one that ran last goes on. @throws Fault `house.broken` when there is none */
export function chooseHouse({ house, problems }: ReadHouse, last: House | undefined): ChosenHouse {
  const chosen = house ?? last
  if (chosen === undefined) {
    throw new Fault('invalid', 'house.broken', `the house has errors:\n${problems.map((problem) => `  ${describeProblem(problem)}`).join('\n')}`, { problems })
  }
  return { house: chosen, jobs: [...chosen.jobs, ...toolJobs(allTools)], problems, fresh: house !== undefined }
}
