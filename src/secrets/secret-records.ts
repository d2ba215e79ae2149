import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import type { SecretFolder } from './secret-folder.ts'

const time = z.iso.datetime()

const recordSchema = z.strictObject({
  /** Since when it has been this value. */
  changedAt: time,
  renderedAt: time,
  rotatedAt: time.optional(),
  /** Until when the value before is kept. */
  undoUntil: time.optional(),
})
export type SecretRecord = z.output<typeof recordSchema>

const actSchema = z.strictObject({ id: z.uuid(), act: z.enum(['render', 'rotate', 'undo']), name: z.string(), at: time })
/** What was done, for the audit: a name and never a value. */
export type SecretAct = z.output<typeof actSchema>

const recordsSchema = z.strictObject({ secrets: z.record(z.string(), recordSchema), unrecorded: z.array(actSchema) })
type Records = z.output<typeof recordsSchema>

/** What is known of each secret besides its value, no digest of it either: who reads this could try values against one. */
export interface SecretRecords {
  of(name: string): SecretRecord | undefined
  names(): string[]
  change(name: string, record: SecretRecord): void
  /** Written before it is done; the audit gets it when the house answers. */
  note(act: SecretAct['act'], name: string, at: Date): void
  unrecorded(): readonly SecretAct[]
  recorded(ids: readonly string[]): void
}

const file = '.records.json'

/** Reads and writes the whole file with each call, so that what was written is there whoever dies next. */
export function openRecords(folder: SecretFolder): SecretRecords {
  const read = (): Records => {
    const text = folder.readOwn(file)
    if (text === undefined) return { secrets: {}, unrecorded: [] }
    try {
      return recordsSchema.parse(JSON.parse(text))
    } catch {
      throw new Fault('invalid', 'secrets.records', `${folder.path}/${file} is damaged; move it away: what is lost is when each secret was changed, and what was to be undone`)
    }
  }
  const change = (edit: (records: Records) => Records) => folder.writeOwn(file, `${JSON.stringify(edit(read()), undefined, 2)}\n`)
  return {
    of: (name) => (Object.hasOwn(read().secrets, name) ? read().secrets[name] : undefined),
    names: () => Object.keys(read().secrets),
    change: (name, record) => change(({ secrets, unrecorded }) => ({ secrets: { ...secrets, [name]: record }, unrecorded })),
    note: (act, name, at) => change(({ secrets, unrecorded }) => ({ secrets, unrecorded: [...unrecorded, { id: randomUUID(), act, name, at: at.toISOString() }] })),
    unrecorded: () => read().unrecorded,
    recorded: (ids) => change(({ secrets, unrecorded }) => ({ secrets, unrecorded: unrecorded.filter(({ id }) => !ids.includes(id)) })),
  }
}
