import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { cutText } from '../acts/cut-text.ts'
import type { FileEntry } from '../acts/files-act.ts'
import { delicateAmong } from '../delicate-paths.ts'
import { join, type Label } from '../../labels/index.ts'
import type { Composed, Finding, Frame } from './composed.ts'
import { composeOutbound, readPayload } from './outbound.ts'

const many = { files: 1_000, bytes: 100 * 1024 * 1024 }
const path = z.string().min(1).max(1_000)
const deleteSchema = z.strictObject({ folder: z.string(), paths: z.array(path).min(1).max(1_000) })
const moveSchema = z.strictObject({ folder: z.string(), moves: z.array(z.strictObject({ from: path, to: path })).min(1).max(1_000) })

export interface FolderToChange {
  readonly name: string
  /** Absolute, without symbolic links. */
  readonly root: string
  readonly label: Label
}

interface Look {
  folderOf(name: string): Promise<FolderToChange>
  /** Everything at these places now. */
  survey(root: string, paths: readonly string[]): Promise<FileEntry[]>
  readonly trash: string
}

/** Files that go into the trash of their folder. @throws Fault `draft.payload`, `files.*` */
export async function composeDelete(payload: unknown, frame: Frame, { folderOf, survey, trash }: Look): Promise<Composed> {
  const { folder: name, paths } = readPayload(deleteSchema, payload, 'deletion')
  const folder = await folderOf(name)
  const from = checkApart(paths.map(checkPath))
  const items = from.map((one, index) => ({ from: one, to: `${trash}/${frame.id}/${index + 1}/${one.split('/').at(-1)!}` }))
  return composed('files.delete', folder, items, await survey(folder.root, from), frame,
    `Afterwards: \`castellan draft undo\` puts all of it back out of ${trash}/${frame.id}, as long as that is there and nothing else took its place.`)
}

/** Files that get another place in their folder. @throws Fault `draft.payload`, `files.*` */
export async function composeFilesMove(payload: unknown, frame: Frame, { folderOf, survey }: Look): Promise<Composed> {
  const { folder: name, moves } = readPayload(moveSchema, payload, 'move')
  const folder = await folderOf(name)
  const items = moves.map(({ from, to }) => ({ from: checkPath(from), to: checkPath(to) }))
  checkApart([...items.map(({ from }) => from), ...items.map(({ to }) => to)])
  return composed('files.move', folder, items, await survey(folder.root, items.map(({ from }) => from)), frame,
    'Afterwards: `castellan draft undo` moves all of it back, as long as it is there and nothing else took its place.')
}

function composed(
  kind: 'files.delete' | 'files.move', { name, root, label }: FolderToChange, items: readonly { from: string; to: string }[], entries: readonly FileEntry[], frame: Frame, undo: string,
): Composed {
  const files = entries.filter(({ type }) => type === 'file')
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const verb = kind === 'files.delete' ? 'Delete from' : 'Move in'
  const findings: Finding[] = [
    ...(files.length > many.files ? [{ atLeast: 8, why: `it is ${files.length} files, more than ${many.files}` }] : []),
    ...(bytes > many.bytes ? [{ atLeast: 8, why: `it is ${Math.round(bytes / 1024 / 1024)} MB, more than 100` }] : []),
    ...delicateAmong([...entries.map((entry) => entry.path), ...items.map(({ to }) => to)]).map((why) => ({ atLeast: 8, why })),
  ]
  const act = composeOutbound({ kind, folder: name, root, items, entries }, frame, {
    title: cutText(`${verb} ${name}: ${items[0]!.from}${items.length > 1 ? ` and ${items.length - 1} more` : ''} (${files.length} file${files.length === 1 ? '' : 's'})`, 400), to: [], undo, findings,
  })
  return { ...act, label: join(label) }
}

/** A path that is plainly inside, and not in what Castellan or git keep there. */
function checkPath(written: string): string {
  const parts = written.split('/')
  const isPlain = !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/u.test(written) && written.isWellFormed() && parts.length <= 32 && parts.every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 255)
  if (!isPlain) throw new Fault('invalid', 'files.path', `${JSON.stringify(written.slice(0, 200))} is not a path in the folder: write e.g. notes/today.md`)
  const closed = parts.find((part) => /^\.castellan-/i.test(part) || /^\.git$/i.test(part))
  if (closed !== undefined) throw new Fault('refused', 'files.protected', `${closed} is not touched`)
  return written
}

/** None of them in another: what is moved twice would not be where the list says. */
function checkApart(paths: readonly string[]): string[] {
  const sorted = [...paths].sort()
  const known = new Set<string>()
  for (const one of sorted) {
    const parts = one.split('/')
    const above = parts.map((_, index) => parts.slice(0, index + 1).join('/')).find((part) => known.has(part))
    if (above !== undefined) throw new Fault('invalid', 'files.twice', `${one} is named twice, by itself or within ${above}`)
    known.add(one)
  }
  return sorted
}
