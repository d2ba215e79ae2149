import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../durable-file.ts'
import { sha256 } from '../../document.ts'
import type { Receipt } from '../connector.ts'

/** What came of commands, written right after they ended: a crash before the database knows leaves no question then. */
export interface Receipts {
  write(wire: Uint8Array, receipt: Receipt): Promise<void>
  find(wire: Uint8Array): Promise<Receipt | undefined>
}

export function createReceipts(folder: string): Receipts {
  const placeOf = (wire: Uint8Array) => join(folder, `${sha256(wire)}.json`)
  return {
    async write(wire, receipt) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await replaceFile(placeOf(wire), JSON.stringify(receipt))
    },
    async find(wire) {
      const text = await readFile(placeOf(wire), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      return text === undefined ? undefined : (JSON.parse(text) as Receipt)
    },
  }
}
