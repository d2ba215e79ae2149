import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { replaceFile } from '../durable-file.ts'
import { enrolledKeySchema, idOf, type EnrolledKey } from './enrolled-key.ts'

const fileSchema = z.strictObject({ version: z.literal(1), keys: z.array(enrolledKeySchema) })

export interface KeyFile {
  /** Read anew for each question, so that what is revoked counts at once. @throws Fault `key.file` */
  read(): Promise<EnrolledKey[]>
  /** One change after the other; without `keys` in what it returns, nothing is written. */
  change<T>(work: (keys: readonly EnrolledKey[]) => Promise<Changing<T>> | Changing<T>): Promise<T>
}

export interface Changing<T> {
  readonly keys?: readonly EnrolledKey[]
  readonly result: T
}

/** The enrolled keys in a file that a crash leaves whole. */
export function openKeyFile(path: string): KeyFile {
  let last: Promise<unknown> = Promise.resolve()
  return {
    read: () => readKeys(path),
    change(work) {
      const turn = last.then(async () => {
        const { keys, result } = await work(await readKeys(path))
        if (keys) await replaceFile(path, `${JSON.stringify({ version: 1, keys }, null, 2)}\n`)
        return result
      })
      last = turn.catch(() => {})
      return turn
    },
  }
}

async function readKeys(path: string): Promise<EnrolledKey[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    const { keys } = fileSchema.parse(JSON.parse(text))
    // an id that is not of its key would let one key pass under the name of another
    if (keys.every((key) => key.id === idOf(key))) return keys
  } catch {
    // said below
  }
  throw new Fault('unavailable', 'key.file', `${path} is not a file of enrolled keys; nothing can be approved until it is mended or removed (then enrol the keys again)`)
}
