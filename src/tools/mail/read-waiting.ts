import type { Database } from '../../kernel/database/connect.ts'
import { detect, type Label } from '../../labels/index.ts'
import { storable, storableText } from '../storable.ts'
import type { ToolLog, ToolRun } from '../tool-context.ts'
import type { ParseMail } from './parse-mail.ts'
import { emptyEnvelope, type ParsedMail } from './parsed-mail.ts'

export interface ReadWaitingDeps {
  readonly database: Database
  readonly parse: ParseMail
  /** The ingest rules of the house. */
  labelOf(mail: IngestedHead): Label
  readonly run: Pick<ToolRun, 'readsUpTo'>
  readonly signal: AbortSignal
  readonly log: ToolLog
}

/** The head of a message as far as ingest rules look at it. */
export interface IngestedHead {
  readonly account: string
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
}

interface Scope {
  readonly id?: string | undefined
  readonly account?: string | undefined
  readonly since?: Date | undefined
}

const batchMessages = 20
const batchBytes = 64 * 1024 * 1024
const mostMessages = 1_000

/** Reads the messages in scope that nobody has read, newest first, and records each before the next: a message that breaks its reader is met once. */
export async function readWaiting(deps: ReadWaitingDeps, scope: Scope): Promise<void> {
  const tried = new Set<string>()
  for (;;) {
    deps.signal.throwIfAborted()
    const waiting = (await findWaiting(deps, scope)).filter((row) => !tried.has(row.id))
    if (waiting.length === 0) return
    if (tried.size >= mostMessages) return deps.log('warn', `${tried.size} messages were read; older ones are read by the next run`)
    const batch = waiting.slice(0, countWithin(waiting.map((row) => row.size)))
    for (const row of batch) tried.add(row.id)
    const bodies = await deps.database.kysely.selectFrom('content').select(['hash', 'body']).where('hash', 'in', batch.map((row) => row.raw_hash)).execute()
    const bodyOf = new Map(bodies.map((row) => [row.hash.toString('hex'), row.body]))
    const there = batch.flatMap((row) => {
      const raw = bodyOf.get(row.raw_hash.toString('hex'))
      return raw ? [{ row, raw }] : []
    })
    for (const row of batch) if (!there.some((one) => one.row === row)) await record(deps, row, gone)
    for await (const [index, mail] of deps.parse(there.map((one) => one.raw), deps.signal)) await record(deps, there[index]!.row, mail)
  }
}

const gone: ParsedMail = { envelope: emptyEnvelope, text: '', error: { code: 'mail.gone', message: 'its bytes were erased before anything read them' } }

/** One more than is tried at once, so that what could not be recorded does not hide what follows. */
async function findWaiting({ database, run }: ReadWaitingDeps, { id, account, since }: Scope) {
  let query = database.kysely.selectFrom('mail_message').select(['id', 'account', 'size', 'raw_hash'])
    .where('parsed_at', 'is', null).where('label_level', '<=', run.readsUpTo)
    .orderBy('received_at', 'desc').limit(batchMessages + mostMessages)
  if (id !== undefined) query = query.where('id', '=', id)
  if (account !== undefined) query = query.where('account', '=', account)
  if (since !== undefined) query = query.where('received_at', '>=', since)
  return await query.execute()
}

function countWithin(sizes: readonly number[]): number {
  let bytes = 0
  const past = sizes.findIndex((size, index) => {
    bytes += size
    return index > 0 && (index >= batchMessages || bytes > batchBytes)
  })
  return past === -1 ? sizes.length : past
}

async function record(deps: ReadWaitingDeps, row: { id: string; account: string }, { envelope, text, error }: ParsedMail): Promise<void> {
  const label = labelOf(deps, row.account, envelope, text)
  if (error) deps.log('warn', 'a message could be read only in part', { message: row.id, code: error.code })
  await deps.database.pool.query('select mail_parsed($1, $2, $3, $4, $5, $6, $7)', [
    row.id, envelope.messageId === null ? null : storableText(envelope.messageId), JSON.stringify(storable(envelope)), storableText(text),
    error ? JSON.stringify(storable(error)) : null, label.level, label.lanes,
  ])
}

/** Rules by sender and detectors only raise: whoever writes a message cannot lower what it is. */
function labelOf(deps: ReadWaitingDeps, account: string, envelope: ParsedMail['envelope'], text: string): Pick<Label, 'level' | 'lanes'> {
  const to = [...envelope.to, ...envelope.cc].map((one) => one.address)
  const byRule = deps.labelOf({ account, from: envelope.from.address, to, subject: envelope.subject })
  const found = detect(`${envelope.subject}\n${text}`)
  return { level: byRule.level > found ? byRule.level : found, lanes: byRule.lanes }
}
