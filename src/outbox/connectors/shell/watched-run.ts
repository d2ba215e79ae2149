import { join } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import type { SandboxResult } from '../../../sandbox/index.ts'
import type { ShellLoss } from '../../acts/shell-act.ts'
import { differences, elevated } from './differences.ts'
import { surveyTree } from './survey-tree.ts'
import { copyTree } from './trial.ts'
import type { WorkCommand, Workplace } from './workplace.ts'

export interface Watched {
  readonly result: SandboxResult
  /** What was taken away or changed besides, by the command or by somebody else meanwhile. */
  readonly unexpected: number
  /** How much of what was gone besides is there again. */
  readonly putBack: number
}

const putBackMs = 20_000

/**
 * Runs a command that was tried out, with a copy beside it of the folder as it was. What lies in the folder could have told the trial from this, or
 * come in since the last look: what is gone besides what was signed is put back out of the copy, and said. `begin` stands right before.
 */
export async function runWatched(workplace: Workplace, command: WorkCommand, signed: readonly ShellLoss[], { git, begin }: { git: boolean; begin(): Promise<void> }): Promise<Watched> {
  return await workplace.withFolder(async (folder) => {
    const before = join(folder, 'before')
    await copyTree(workplace, command.root, folder, before)
    const was = await surveyTree(before, { read: true })
    await begin()
    const result = await workplace.run(command)
    const expected = new Set(signed.map(({ path }) => path))
    const is = await surveyTree(command.root, { read: true })
    await lower(workplace, command.root, elevated(was, is))
    const besides = differences(was, is, { git }).filter(({ path }) => !expected.has(path))
    const gone = besides.filter(({ becomes }) => becomes === null).map(({ path }) => path)
    return { result, unexpected: besides.length, putBack: await putBack(workplace, command.root, folder, gone) }
  })
}

/** Takes the rights of its owner from what a command made, which no trial let through. */
async function lower(workplace: Workplace, root: string, paths: readonly string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += 100) {
    const argv = ['/usr/bin/chmod', 'ug-s', '--', ...paths.slice(at, at + 100).map((path) => join(root, path))]
    const { exitCode } = await workplace.run({ argv, programs: [], root, access: 'write', cwd: root, timeoutMs: putBackMs })
    if (exitCode !== 0) throw new Fault('conflict', 'connector.unknown', `the command made programs that run with the rights of the releaser, e.g. ${join(root, paths[at]!)}; take them out by hand`, { brief: 'programs with the rights of their owner were made' })
  }
}

/** Within the sandbox, and never over something that is there. */
async function putBack(workplace: Workplace, root: string, folder: string, paths: readonly string[]): Promise<number> {
  let done = 0
  // the highest first: a folder that was gone brings what was in it
  for (const path of paths) {
    if (paths.some((other) => path.startsWith(`${other}/`))) {
      done += 1
      continue
    }
    const { exitCode } = await workplace.putBack(root, folder, join('before', path), path, putBackMs)
    if (exitCode !== 0) throw new Fault('conflict', 'connector.unknown', `the command took away ${path} besides what was signed, and it could not be put back`, { brief: 'more was taken away than was signed' })
    done += 1
  }
  return done
}
