import { join } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import type { ShellAct } from '../../acts/shell-act.ts'
import { differences, elevated, requireShowable } from './differences.ts'
import { branchTips, lostCommits } from './lost-commits.ts'
import { tablesOf, lostTables } from './lost-tables.ts'
import { surveyTree } from './survey-tree.ts'
import type { BoundProgram, Workplace } from './workplace.ts'

export type Trial = Pick<ShellAct, 'lost' | 'commits' | 'tables'> & { readonly tried: number }

export interface TrialCommand {
  readonly argv: readonly string[]
  /** With the names that the policy knows them by. */
  readonly programs: readonly (BoundProgram & { readonly names: readonly string[] })[]
  readonly root: string
  readonly cwd: string
  readonly timeoutMs: number
  /** Of all of it. */
  readonly signal: AbortSignal
}

const copyMs = 20_000

/**
 * Runs the very command on a copy of the folder, and looks afterwards what is not there any more or is another. The copy is made and changed
 * within the sandbox, and looked at when nothing runs in it any more: neither what lies in the folder nor the command can say otherwise.
 * @throws Fault `shell.*` when it cannot be tried out, or does not go well
 */
export async function tryOut(workplace: Workplace, { argv, programs, root, cwd, timeoutMs, signal }: TrialCommand): Promise<Trial> {
  await surveyTree(root, { read: false })
  const uses = (name: string) => programs.find(({ names }) => names.includes(name))
  return await workplace.withFolder(async (folder) => {
    const copy = join(folder, 'copy')
    await copyTree(workplace, root, folder, copy, signal)
    const place = { root, from: copy, programs, timeoutMs, signal }
    const [git, sqlite] = [uses('git'), uses('sqlite')]
    const before = await surveyTree(copy, { read: true, again: true })
    const tips = git && await branchTips(workplace, place, before)
    const tables = sqlite && await tablesOf(workplace, { ...place, sqlite: sqlite.path, folder: copy, entries: before })
    const result = await workplace.run({ ...place, argv, cwd, access: 'write' })
    if (result.ended !== 'exit') throw new Fault('refused', 'shell.trial', `when it was tried out, it was ended (${result.ended}), so that nobody can say what it would take away`)
    if (result.exitCode !== 0) throw new Fault('refused', 'shell.trial', `when it was tried out, it failed with ${result.exitCode}: ${said(result.stderr)}`)
    const after = await surveyTree(copy, { read: true, again: true })
    const [program] = elevated(before, after)
    if (program !== undefined) throw new Fault('refused', 'shell.rights', `it would make ${program} a program that runs with the rights of its owner (setuid, setgid), which is the releaser; leave that out`)
    return {
      tried: result.exitCode,
      lost: requireShowable(differences(before, after, { git: git !== undefined })),
      commits: tips === undefined ? [] : await lostCommits(workplace, place, tips, after),
      tables: sqlite === undefined || tables === undefined ? [] : lostTables(tables, await tablesOf(workplace, { ...place, sqlite: sqlite.path, folder: copy, entries: after })),
    }
  })
}

/** Within the sandbox: a symbolic link that takes the place of a folder meanwhile leads to nothing. */
export async function copyTree(workplace: Workplace, root: string, folder: string, copy: string, signal?: AbortSignal): Promise<void> {
  const { exitCode, stderr, ended } = await workplace.copy(root, folder, copy, copyMs, signal)
  if (ended !== 'exit' || exitCode !== 0) throw new Fault('refused', 'shell.trial', `the folder could not be copied before the command is run: ${ended === 'exit' ? said(stderr) : ended}`)
}

/** What a program said, to be shown: on one line. */
export function said(stderr: Buffer): string {
  return stderr.toString('utf8').replace(/[^\p{L}\p{N}\p{P}\p{S}\p{Zs}]+/gu, ' ').trim().slice(0, 300).toWellFormed() || 'nothing was said'
}
