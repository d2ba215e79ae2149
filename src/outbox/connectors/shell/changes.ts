import { Fault } from '../../../kernel/fault.ts'
import type { TreeEntry } from './survey-tree.ts'

/** What a command made of a copy of the folder, so that the same can be made of the folder itself. */
export interface Changes {
  /** What has to be taken out, or to make room for something of another kind. */
  readonly out: readonly TreeEntry[]
  /** What is new or another afterwards, as it is then. */
  readonly put: readonly TreeEntry[]
  /** Where of those nothing is, or nothing any more. */
  readonly fresh: ReadonlySet<string>
}

/** Of the same copy, before and after; what git writes anew with every command too. @throws Fault `shell.name`, `shell.rights`, `shell.in_use` */
export function changesBetween(before: readonly TreeEntry[], after: readonly TreeEntry[]): Changes {
  const was = byPath(before)
  const is = byPath(after)
  const out = before.filter((entry) => {
    const now = is.get(entry.path)
    return now === undefined || now.type !== entry.type || (entry.type === 'link' && now.content !== entry.content)
  })
  const put = after.filter((entry) => isAnother(was.get(entry.path), entry))
  for (const entry of put) checkPut(entry)
  for (const { path } of [...out, ...put]) {
    // its pages may be in the memory and the log of another program, which would write over what is put beneath it
    const open = was.has(path) && ['-wal', '-journal'].map((end) => `${path}${end}`).find((one) => was.has(one))
    if (open) throw new Fault('refused', 'shell.in_use', `${path} is a database that another program has open, or did not close (${open} lies beside it); end that program first`)
  }
  const gone = byPath(out)
  return { out, put, fresh: new Set(put.flatMap(({ path }) => (gone.has(path) || !was.has(path) ? [path] : []))) }
}

/** Is everything that would be changed still as it was when the copy was made? @throws Fault `shell.changed` */
export function requireUntouched({ out, put }: Changes, before: readonly TreeEntry[], now: readonly TreeEntry[]): void {
  const was = byPath(before)
  const is = byPath(now)
  for (const { path } of [...out, ...put]) {
    if (!isSame(was.get(path), is.get(path))) throw touched(path)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const above = path.slice(0, at)
      if (was.get(above)?.type !== is.get(above)?.type) throw touched(above)
    }
  }
}

export function byPath(entries: readonly TreeEntry[]): ReadonlyMap<string, TreeEntry> {
  return new Map(entries.map((entry) => [entry.path, entry]))
}

function isAnother(was: TreeEntry | undefined, is: TreeEntry): boolean {
  if (was === undefined || was.type !== is.type || was.content !== is.content || was.mode !== is.mode) return true
  return is.type === 'file' && was.modifiedMs !== is.modifiedMs
}

/** Of two files in two places: one that was not read is known by its size and time. */
function isSame(was: TreeEntry | undefined, is: TreeEntry | undefined): boolean {
  if (was === undefined || is === undefined) return was === is
  if (was.type !== is.type || was.mode !== is.mode || was.size !== is.size) return false
  if (was.type !== 'file') return was.content === is.content
  return was.sha256 === null || is.sha256 === null ? was.modifiedMs === is.modifiedMs : was.sha256 === is.sha256
}

function checkPut({ path, type, mode }: TreeEntry): void {
  if (path.includes('\uFFFD')) throw new Fault('refused', 'shell.name', `it would make a file called ${JSON.stringify(path)}, which is no text; give it another name`)
  if (type === 'file' && /^[2-7]/.test(mode)) throw new Fault('refused', 'shell.rights', `it would make ${path} a program that runs with the rights of its owner (setuid, setgid), which is the releaser; leave that out`)
}

function touched(path: string): Fault {
  return new Fault('conflict', 'shell.changed', `somebody changed ${path} while the command was tried out; propose it again`)
}
