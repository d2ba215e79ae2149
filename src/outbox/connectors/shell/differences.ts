import { Fault } from '../../../kernel/fault.ts'
import type { ShellLoss } from '../../acts/shell-act.ts'
import type { TreeEntry } from './survey-tree.ts'

const most = 10_000
/** What git writes anew with every command; which commits are lost is said by themselves. */
const bookkeeping = /(?:^|\/)\.git\/(?:index|HEAD|ORIG_HEAD|FETCH_HEAD|COMMIT_EDITMSG|AUTO_MERGE|packed-refs|(?:logs|refs)(?:\/.*)?)$/

/** What is gone after a command, or is another. What is new takes nothing away and is not named. */
export function differences(before: readonly TreeEntry[], after: readonly TreeEntry[], { git }: { readonly git: boolean }): ShellLoss[] {
  const now = new Map(after.map((entry) => [entry.path, entry]))
  return before.flatMap((was): ShellLoss[] => {
    if (git && bookkeeping.test(was.path)) return []
    const is = now.get(was.path)
    const becomes = is === undefined ? null : changeOf(was, is)
    return becomes === undefined ? [] : [{ path: was.path, type: was.type, size: was.size, sha256: was.sha256, becomes }]
  })
}

/** Can a list of losses be shown, and signed for? @throws Fault `shell.name`, `shell.large` */
export function requireShowable(lost: readonly ShellLoss[]): readonly ShellLoss[] {
  for (const { path } of lost) checkName(path)
  if (lost.length > most) throw new Fault('refused', 'shell.large', `it would take away or change more than ${most} files and folders; propose it in parts`)
  return lost
}

/** In words; nothing when it is the same. */
function changeOf(was: TreeEntry, is: TreeEntry): string | undefined {
  const changes = [
    ...(is.type === was.type ? [] : [`a ${is.type} in its place`]),
    ...(is.type === was.type && is.content !== was.content ? [was.type === 'link' ? 'leads elsewhere' : 'changed'] : []),
    ...(is.mode === was.mode || is.type === 'link' || was.type === 'link' ? [] : [`mode ${was.mode} becomes ${is.mode}`]),
  ]
  return changes.length === 0 ? undefined : changes.join(', ')
}

/** A name that cannot be shown as what it is cannot be signed for. */
function checkName(path: string): void {
  if (!path.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u.test(path)) throw new Fault('refused', 'shell.name', `a file is called ${JSON.stringify(path)}, which cannot be shown; give it another name first`)
}
