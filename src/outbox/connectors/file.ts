import { constants } from 'node:fs'
import { link, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { sha256, type DraftDocument } from '../document.ts'
import { syncFolder, writeTemporary } from '../durable-file.ts'
import type { Connector, Receipt } from './connector.ts'

export interface FileConnectorOptions {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly from: string
  /** Tests put a failing disk here. */
  readonly write?: typeof writeTemporary
}

/** Puts each mail into a folder, as `<draft id>.eml`: whole or not at all, and never over another file. */
export function createFileConnector({ name, path: folder, from, write = writeTemporary }: FileConnectorOptions): Connector {
  const pathOf = (document: DraftDocument) => join(folder, `${document.id}.eml`)

  async function receiptFor(wire: Uint8Array, document: DraftDocument): Promise<Receipt | undefined> {
    const found = await readBytes(pathOf(document))
    return found && Buffer.compare(found, wire) === 0 ? { file: pathOf(document), sha256: sha256(wire), length: wire.length } : undefined
  }

  return {
    name,
    kind: 'file',
    account: folder,
    zone: 'machine',
    from,
    accepts: (kind) => kind === 'mail',
    async deliver(wire, document, signal, commit) {
      const path = pathOf(document)
      let temporary: string | undefined
      try {
        signal.throwIfAborted()
        await mkdir(folder, { recursive: true, mode: 0o700 })
        // a file under another name is already outside
        await commit()
        temporary = await write(path, wire)
        await link(temporary, path)
      } catch (error) {
        if (error instanceof Fault) throw error
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || temporary === undefined) {
          throw new Fault('unavailable', 'connector.not_sent', `could not write ${path}: ${(error as Error).message}`, {}, error)
        }
        if ((await receiptFor(wire, document)) === undefined) {
          throw new Fault('conflict', 'connector.not_sent', `${path} is there already, with other bytes; nothing was written`)
        }
      } finally {
        if (temporary !== undefined) await rm(temporary, { force: true })
      }
      await syncFolder(folder)
      return { file: path, sha256: sha256(wire), length: wire.length }
    },
    reconcile: receiptFor,
  }
}

/** The content of a regular file; nothing when there is none. A link is not followed. */
async function readBytes(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      return (await file.stat()).isFile() ? await file.readFile() : undefined
    } finally {
      await file.close()
    }
  } catch (error) {
    if (['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
