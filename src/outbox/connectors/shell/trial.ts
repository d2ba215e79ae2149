import { Fault } from '../../../kernel/fault.ts'
import type { SandboxResult } from '../../../sandbox/index.ts'
import type { ShellAct } from '../../acts/shell-act.ts'
import { changesBetween, type Changes } from './changes.ts'
import { differences, requireShowable } from './differences.ts'
import { branchTips, lostCommits } from './lost-commits.ts'
import { tablesOf, lostTables } from './lost-tables.ts'
import { said } from './said.ts'
import { surveyTree, type TreeEntry } from './survey-tree.ts'
import type { BoundProgram, Workplace } from './workplace.ts'

export interface Trial {
  readonly found: Pick<ShellAct, 'lost' | 'commits' | 'tables'> & { readonly tried: number }
  readonly result: SandboxResult
  /** The copy as it was. */
  readonly before: readonly TreeEntry[]
  readonly changes: Changes
}

export interface TrialCommand {
  readonly argv: readonly string[]
  /** With the names that the policy knows them by. */
  readonly programs: readonly (BoundProgram & { readonly names: readonly string[] })[]
  readonly root: string
  /** The copy that stands for it. */
  readonly copy: string
  readonly cwd: string
  readonly timeoutMs: number
  /** Of all of it. */
  readonly signal: AbortSignal
}

/**
 * Runs the very command on a copy of the folder, and looks afterwards what is not there any more or is another. The copy is changed within the
 * sandbox, and looked at when nothing runs in it any more: neither what lies in the folder nor the command can say otherwise.
 * @throws Fault `shell.*` when it cannot be tried out, or does not go well
 */
export async function tryOut(workplace: Workplace, { argv, programs, root, copy, cwd, timeoutMs, signal }: TrialCommand): Promise<Trial> {
  const uses = (name: string) => programs.find(({ names }) => names.includes(name))
  const place = { root, from: copy, programs, timeoutMs, signal }
  const [git, sqlite] = [uses('git'), uses('sqlite')]
  const before = await surveyTree(copy, { read: true, again: true })
  const tips = git && await branchTips(workplace, place, before)
  const tables = sqlite && await tablesOf(workplace, { ...place, sqlite: sqlite.path, folder: copy, entries: before })
  const result = await workplace.run({ ...place, argv, cwd, access: 'write' })
  if (result.ended !== 'exit') throw new Fault('refused', 'shell.trial', `when it was tried out, it was ended (${result.ended}), so that nobody can say what it would take away`)
  if (result.exitCode !== 0) throw new Fault('refused', 'shell.trial', `when it was tried out, it failed with ${result.exitCode}: ${said(result.stderr)}`)
  const after = await surveyTree(copy, { read: true, again: true })
  const lost = requireShowable(differences(before, after, { git: git !== undefined }))
  return {
    result, before, changes: changesBetween(before, after),
    found: {
      tried: result.exitCode, lost,
      commits: tips === undefined ? [] : await lostCommits(workplace, place, tips, after),
      tables: sqlite === undefined || tables === undefined ? [] : lostTables(tables, await tablesOf(workplace, { ...place, sqlite: sqlite.path, folder: copy, entries: after })),
    },
  }
}
