import { createHash } from 'node:crypto'
import type { Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import { describeLevel, type Level } from '../labels/index.ts'
import type { Session } from './session.ts'

/** What gate cloud is shown with a redacted body: the record, and the SHA-256 of the body that came with it. */
export interface Declassification {
  readonly id: string
  readonly bodyHash: Buffer
}

/** By which both gates name a body: SHA-256 of its JSON, as it is written after it was read. */
export function hashOfBody(body: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(body), 'utf8').digest()
}

export interface RedactionToRecord {
  readonly session: Session
  /** The level that the call carries. */
  readonly level: Level
  readonly redactor: string
  readonly input: unknown
  readonly output: unknown
  /** How many spans of each kind were taken out. */
  readonly kinds: Readonly<Record<string, number>>
  /** Milliseconds that the record is kept. */
  readonly keepMs: number
}

/** Records a redaction before its text leaves gate local; the id opens gate cloud once. @throws Fault `label_refused` where the database says no */
export async function recordRedaction({ pool }: Pick<Database, 'pool'>, { session, level, redactor, input, output, kinds, keepMs }: RedactionToRecord): Promise<string> {
  const id = newId()
  const values = [id, session.keyHash, redactor, hashOfBody(input), hashOfBody(output), level, JSON.stringify(kinds), keepMs]
  const text = `select declassify($1, $2, $3, $4, $5, $6, $7, $8 * interval '1 ms')`
  await pool.query({ name: 'declassify', text, values }).catch((error: { code?: string }) => {
    if (error.code !== insufficientPrivilege) throw error
    throw new Fault('refused', 'label_refused', `${describeLevel(level)} of this run is not redacted down: every lane of it must say \`redact: true\` and be cleared for one level less`)
  })
  return id
}

/** The level of a redacted body, which is good for this one call. @throws Fault `declassification_refused` */
export async function useDeclassification({ pool }: Pick<Database, 'pool'>, session: Session, { id, bodyHash }: Declassification): Promise<Level> {
  const { rows } = await pool.query<{ level: Level | null }>({ name: 'declassification-use', text: 'select declassification_use($1, $2, $3) as level', values: [id, session.keyHash, bodyHash] })
  const level = rows[0]!.level
  if (level === null) {
    throw new Fault('refused', 'declassification_refused', 'this body was not redacted for this call: its record is unknown, used, too old, of other bytes or another run, or the lane no longer allows it')
  }
  return level
}

const insufficientPrivilege = '42501'
