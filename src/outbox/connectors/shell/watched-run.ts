import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault, toFault } from '../../../kernel/fault.ts'
import type { SandboxResult } from '../../../sandbox/index.ts'
import type { ShellLoss } from '../../acts/shell-act.ts'
import { differences, elevated } from './differences.ts'
import { surveyTree, type TreeEntry } from './survey-tree.ts'
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
    // one that was ended from outside has taken away what it has taken away
    const ended = await workplace.run(command).then((result) => ({ result }), (error: unknown) => ({ error }))
    const expected = new Set(signed.map(({ path }) => path))
    const is = await surveyTree(command.root, { read: true }).catch(async (error: unknown) => {
      const back = await putBackUnseen(workplace, command.root, folder, was.filter(({ path }) => !expected.has(path)))
      throw new Fault('conflict', 'connector.unknown', `the command was run, and what it left could not be looked at (${toFault(error).message}); of what it took away besides what was signed, ${back} are there again. Look at what it changed`, { brief: 'what the command left could not be looked at' }, error)
    })
    await lower(workplace, command.root, elevated(was, is))
    const besides = differences(was, is, { git }).filter(({ path }) => !expected.has(path))
    const gone = besides.filter(({ becomes }) => becomes === null).map(({ path }) => path)
    const back = await putBack(workplace, command.root, folder, gone)
    if ('error' in ended) throw ended.error
    return { result: ended.result, unexpected: besides.length, putBack: back }
  })
}

/** Without a survey of what is there: opens the folder to its owner, takes the rights of its owner from everything, and looks for each by its name. */
async function putBackUnseen(workplace: Workplace, root: string, folder: string, was: readonly TreeEntry[]): Promise<number> {
  await workplace.run({ argv: ['/usr/bin/chmod', '--recursive', 'u+rwX,ug-s', '--', root], programs: [], root, access: 'write', cwd: root, timeoutMs: putBackMs })
  const gone: string[] = []
  for (const { path } of was) if (await isGone(join(root, path))) gone.push(path)
  return await putBack(workplace, root, folder, gone)
}

async function isGone(path: string): Promise<boolean> {
  return await lstat(path).then(() => false, (error: NodeJS.ErrnoException) => error.code === 'ENOENT')
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
  let highest: string | undefined
  for (const path of paths) {
    done += 1
    // a folder that was gone brings what was in it, which stands right behind it
    if (highest !== undefined && path.startsWith(`${highest}/`)) continue
    highest = path
    const place = dirname(join(root, path))
    // the folder around it may be gone as it was signed
    if (await isGone(place)) await workplace.run({ argv: ['/usr/bin/mkdir', '--parents', '--', place], programs: [], root, access: 'write', cwd: root, timeoutMs: putBackMs })
    const { exitCode } = await workplace.putBack(root, folder, join('before', path), path, putBackMs)
    if (exitCode !== 0) {
      const copy = await workplace.keep(join(folder, 'before'))
      throw new Fault('conflict', 'connector.unknown', `the command took away ${path} besides what was signed, and it could not be put back. A copy of the folder as it was is in ${copy}; take out of it what you need, and delete it`, { brief: 'more was taken away than was signed' })
    }
  }
  return done
}
