import { realpath } from 'node:fs/promises'
import { Fault, toFault } from '../../../kernel/fault.ts'
import { faultPoint } from '../../../kernel/fault-point.ts'
import type { FilesConnectorSettings } from '../../../house/index.ts'
import type { FilesAct } from '../../acts/files-act.ts'
import { readOutboundAct } from '../../acts/outbound-act.ts'
import { composeDelete, composeFilesMove, type FolderToChange } from '../../compose/files.ts'
import { actOf } from '../../compose/outbound.ts'
import { checkBytes } from '../check-bytes.ts'
import type { Connector, Receipt } from '../connector.ts'
import { isThere, makePlace, put as putInPlace, trashName } from './put.ts'
import { survey } from './survey.ts'

export interface FilesOptions extends Pick<FilesConnectorSettings, 'name' | 'folders'> {
  /** Tests put a failing disk here. */
  readonly put?: typeof putInPlace
}

const kinds = ['files.delete', 'files.move'] as const

/** Deletes and moves files of declared folders: exactly those that were listed when it was frozen, as they were then. */
export function createFilesConnector({ name, folders, put = putInPlace }: FilesOptions): Connector {
  const account = `folders ${folders.map((folder) => `${folder.name} (${folder.path})`).join(', ')}`

  async function folderOf(wanted: string): Promise<FolderToChange> {
    const folder = folders.find((one) => one.name === wanted)
    if (!folder) throw new Fault('refused', 'files.folder', `connector ${name} is not for the folder ${JSON.stringify(wanted)}; it is for ${folders.map((one) => one.name).join(', ')}`)
    const root = await realpath(folder.path).catch((error: unknown) => { throw new Fault('missing', 'files.folder', `the folder ${wanted} (${folder.path}) is not there`, {}, error) })
    return { name: wanted, root, label: folder.label }
  }

  /** The act, in the folder that is still the same. */
  async function read(wire: Uint8Array): Promise<FilesAct> {
    const act = actOf(wire, kinds, account)
    const { root } = await folderOf(act.folder)
    if (root !== act.root) throw new Fault('refused', 'connector.not_sent', `the folder ${act.folder} is ${root} now, and was ${act.root}; nothing was changed`)
    return act
  }

  return {
    name,
    kind: 'files',
    account,
    zone: 'machine',
    from: account,
    accepts: (kind) => kinds.some((one) => one === kind),
    compose: (kind, payload, frame) => (kind === 'files.delete' ? composeDelete : composeFilesMove)(payload, frame, { folderOf, survey, trash: trashName }),
    async deliver(wire, document, signal, commit) {
      const done: FilesAct['items'][number][] = []
      let act: FilesAct | undefined
      try {
        signal.throwIfAborted()
        act = await read(wire)
        await checkUnchanged(act)
        checkBytes(wire, document)
        for (const { to } of act.items) {
          if (act.kind === 'files.delete') await makePlace(act.root, to)
          if (await isThere(act.root, to)) throw new Fault('conflict', 'files.taken', `${to} is there already`)
        }
        signal.throwIfAborted()
        await commit()
        for (const item of act.items) {
          faultPoint('files.put')
          await put(act.root, item.from, item.to)
          done.push(item)
        }
        // what came into a folder between the last look and its move is no part of what was signed
        await checkMoved(act)
        return receiptOf(act)
      } catch (error) {
        const fault = toFault(error)
        if (act) await putBack(act, done, fault, put)
        if (/^(?:connector|nonce|releaser)\./.test(fault.code)) throw fault
        throw new Fault(fault.kind === 'internal' ? 'unavailable' : fault.kind, 'connector.not_sent', `nothing was changed: ${fault.message}`, {}, error)
      }
    },
    async reconcile(wire) {
      if (readOutboundAct(wire) === undefined) return undefined
      const act = await read(wire)
      for (const { from } of act.items) if (await isThere(act.root, from)) return undefined
      return (await checkMoved(act).then(() => true, () => false)) ? receiptOf(act) : undefined
    },
    async undo(wire) {
      const act = await read(wire)
      const moved: FilesAct['items'][number][] = []
      // what a crash left half undone is gone on with: an item is where it was, or where it was put
      for (const item of act.items) if (await isThere(act.root, item.to)) moved.push(item)
      for (const { from, to } of act.items) {
        const [before, after] = [await isThere(act.root, from), moved.some((item) => item.to === to)]
        if (before && after) throw new Fault('conflict', 'files.taken', `${from} is there already: put it aside, then undo again; nothing was put back`)
        if (!before && !after) throw new Fault('missing', 'files.missing', `${from} is neither where it was nor in ${to}; nothing was put back`)
      }
      for (const { from, to } of moved) await put(act.root, to, from)
      return { folder: act.folder, restored: moved.length }
    },
  }
}

/** Is everything as it was when it was frozen? @throws Fault `files.changed` */
async function checkUnchanged({ root, items, entries }: FilesAct): Promise<void> {
  const now = await survey(root, items.map(({ from }) => from))
  compare(entries, now)
}

/** The same of what was moved, by the names that it has now. */
async function checkMoved({ root, items, entries }: FilesAct): Promise<void> {
  const now = await survey(root, items.map(({ to }) => to))
  const before = now.map((entry) => {
    const { from, to } = items.find((item) => entry.path === item.to || entry.path.startsWith(`${item.to}/`))!
    return { ...entry, path: `${from}${entry.path.slice(to.length)}` }
  })
  compare(entries, before)
}

function compare(frozen: FilesAct['entries'], now: FilesAct['entries']): void {
  const said = (entry: FilesAct['entries'][number]) => JSON.stringify([entry.path, entry.type, entry.size, entry.modified, entry.sha256])
  const [was, is] = [new Set(frozen.map(said)), new Set(now.map(said))]
  const other = now.find((entry) => !was.has(said(entry))) ?? frozen.find((entry) => !is.has(said(entry)))
  if (other) throw new Fault('conflict', 'files.changed', `${other.path} is not as it was when this was frozen; propose it again`)
}

/** After a failure in the middle: all of it, or nothing. @throws Fault `connector.unknown` when it stays in between */
async function putBack({ root }: FilesAct, done: readonly FilesAct['items'][number][], cause: Fault, put: typeof putInPlace): Promise<void> {
  try {
    for (const { from, to } of [...done].reverse()) await put(root, to, from)
  } catch (error) {
    throw new Fault('conflict', 'connector.unknown', `a part was moved and could not be put back (${toFault(error).message}), after: ${cause.message}. \`castellan draft undo\` puts back what can be`, {}, error)
  }
}

function receiptOf({ kind, folder, items, entries }: FilesAct): Receipt {
  const files = entries.filter(({ type }) => type === 'file')
  return {
    folder, items: items.length, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0),
    ...(kind === 'files.delete' && { trash: items[0]!.to.split('/').slice(0, 2).join('/') }),
  }
}
