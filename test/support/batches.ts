import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import OpenAI, { toFile } from 'openai'
import type { TestDatabase } from './database.ts'

export interface WantedKey {
  readonly gate?: 'local' | 'cloud'
  readonly lane?: string
  readonly max?: number
  readonly expires?: Date | null
}

export interface MadeKey {
  readonly id: string
  readonly name: string
  readonly key: string
}

/** A key of a program, as the releaser makes it. */
export async function makeKey(database: TestDatabase, { gate = 'local', lane = gate === 'cloud' ? 'open' : 'private', max = gate === 'cloud' ? 1 : 2, expires = null }: WantedKey = {}): Promise<MadeKey> {
  const [id, name, key] = [randomUUID(), `client-${randomBytes(4).toString('hex')}`, `ck_${randomBytes(32).toString('hex')}`]
  await database.as('castellan_releaser').pool.query(`select client_key_make($1, $2, $3, $4, $5, $6::smallint, '{}', $7)`, [id, name, createHash('sha256').update(key).digest(), gate, lane, max, expires])
  return { id, name, key }
}

export const clientOf = (gate: { readonly address: string }, { key }: Pick<MadeKey, 'key'>, headers: Record<string, string> = {}): OpenAI =>
  new OpenAI({ baseURL: `${gate.address}/v1`, apiKey: key, maxRetries: 0, defaultHeaders: headers })

/** A line that asks `model` for something. */
export const chatLine = (id: string, text = id, model = 'auto'): object => ({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body: { model, messages: [{ role: 'user', content: text }] } })

export const jsonl = (lines: readonly (object | string)[]): string => lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')

export async function sendFile(client: OpenAI, lines: readonly (object | string)[] | string): Promise<OpenAI.FileObject> {
  return client.files.create({ purpose: 'batch', file: await toFile(Buffer.from(typeof lines === 'string' ? lines : jsonl(lines)), 'work.jsonl') })
}

export async function sendBatch(client: OpenAI, lines: readonly (object | string)[], endpoint: OpenAI.BatchCreateParams['endpoint'] = '/v1/chat/completions'): Promise<OpenAI.Batch> {
  const file = await sendFile(client, lines)
  return client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h' })
}

export interface ReportedLine {
  readonly id: string
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: Record<string, unknown> } | null
  readonly error: { readonly code: string; readonly message: string } | null
}

/** The lines of a file of answers or errors. */
export async function linesOf(client: OpenAI, id: string | null | undefined): Promise<ReportedLine[]> {
  if (!id) return []
  const text = await (await client.files.content(id)).text()
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as ReportedLine)
}

/** The batch once it has ended. */
export async function endOf(client: OpenAI, id: string, patienceMs = 20_000): Promise<OpenAI.Batch> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await delay(20)) {
    const batch = await client.batches.retrieve(id)
    if (['completed', 'failed', 'expired', 'cancelled'].includes(batch.status)) return batch
  }
  throw new Error(`batch ${id} did not end`)
}
