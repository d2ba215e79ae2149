import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { describeProblem, type House, type JobDefinition, type Problem } from '../house/index.ts'
import { compileCacheFolder } from './compile-cache.ts'
import { nodeFlags } from './process-specs.ts'

export interface ReadHouse {
  /** Absent when the folder has errors. */
  readonly house?: House
  readonly problems: readonly Problem[]
  /** One job for each tool, see tool-jobs.ts. */
  readonly toolJobs: readonly JobDefinition[]
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

const patienceMs = 60_000
const largestHouse = 64 * 1024 * 1024

/** Reads the operator's folder in a process of its own. @throws Fault `house.missing`, `house.unread` */
export async function readHouse(folder: string, home: string): Promise<ReadHouse> {
  if (!existsSync(folder)) throw new Fault('missing', 'house.missing', `there is no house at ${folder}; make one with \`castellan init ${folder}\``)
  const { promise, resolve, reject } = Promise.withResolvers<ReadHouse>()
  const cache = compileCacheFolder(home) // only `up` makes it: who looks at a house changes nothing
  const child = execFile(
    process.execPath, [...nodeFlags(), join(import.meta.dirname, 'read-house.ts')],
    { timeout: patienceMs, maxBuffer: largestHouse, env: { ...process.env, ...(existsSync(cache) && { NODE_COMPILE_CACHE: cache }) } },
    (error, stdout, stderr) => {
      if (error) reject(new Fault('invalid', 'house.unread', `the house at ${folder} could not be read: ${stderr.trim() || error.message}`, {}, error))
      else resolve(JSON.parse(stdout) as ReadHouse)
    },
  )
  child.stdin!.end(JSON.stringify({ folder, home }))
  return promise
}

/** The house that was read; when it has errors, the one that ran last goes on. @throws Fault `house.broken` when there is none */
export function chooseHouse({ house, problems, toolJobs }: ReadHouse, last: House | undefined): ChosenHouse {
  const chosen = house ?? last
  if (chosen === undefined) {
    throw new Fault('invalid', 'house.broken', `the house has errors:\n${problems.map((problem) => `  ${describeProblem(problem)}`).join('\n')}`, { problems })
  }
  return { house: chosen, jobs: [...chosen.jobs, ...toolJobs], problems, fresh: house !== undefined }
}
