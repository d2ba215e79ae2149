import type { Clock } from '../../kernel/clock.ts'
import { Fault, toFault } from '../../kernel/fault.ts'
import type { CallRequest, Calls } from '../../models/index.ts'
import { readMessages } from '../anthropic-messages/read-messages.ts'
import { anthropicError, anthropicMessages } from '../anthropic-messages/write-messages.ts'
import { wholeAnswer, type AskedCall } from '../answer-call.ts'
import { readChat } from '../openai-chat/read-chat.ts'
import { openaiChat } from '../openai-chat/write-chat.ts'
import { readEmbeddings } from '../openai-embeddings/read-embeddings.ts'
import { embeddingsAnswer } from '../openai-embeddings/write-embeddings.ts'
import { readResponses } from '../openai-responses/read-responses.ts'
import { openaiResponses } from '../openai-responses/write-responses.ts'
import type { Wire } from '../wire.ts'
import { openaiError } from '../wire-error.ts'
import { toLineId } from './batch-id.ts'
import type { Endpoint } from './batch-store.ts'
import type { TakenLine } from './line-store.ts'

export type Caller = Pick<CallRequest, 'session' | 'task' | 'atLeast' | 'signal'>

/** Asks what a line asks, as if it had been posted to its endpoint. Throws what the endpoint would have told. */
export async function askLine({ calls, clock }: { calls: Pick<Calls, 'call' | 'embed'>; clock: Clock }, endpoint: Endpoint, body: unknown, caller: Caller): Promise<unknown> {
  const whole = async ({ model, conversation, native }: AskedCall, wire: Pick<Wire, 'whole'>) => {
    const said = await wholeAnswer(await calls.call({ ...caller, key: '', model, conversation, native }), wire, clock.now())
    return Buffer.isBuffer(said) ? parsed(said) : said
  }
  switch (endpoint) {
    case '/v1/chat/completions':
      return whole(readChat(body), openaiChat(false))
    case '/v1/responses': {
      const { echo, tools, ...asked } = readResponses(body)
      return whole(asked, openaiResponses(echo, tools))
    }
    case '/v1/messages':
      return whole(readMessages(body, {}), anthropicMessages)
    case '/v1/embeddings': {
      const { encoding, ...asked } = readEmbeddings(body)
      return embeddingsAnswer(await calls.embed({ ...caller, ...asked }), encoding)
    }
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Fault('unavailable', 'upstream.malformed', 'the upstream answered something that is no JSON')
  }
}

/** The most that one answer takes in the database, in characters. */
const longestAnswer = 32 * 1024 * 1024

/** The line that reports an answer. @throws Fault `batch.answer_too_large` */
export function answerLine(line: Pick<TakenLine, 'batch' | 'number' | 'customId'>, body: unknown): string {
  const text = reportLine(line, 200, body)
  if (text.length > longestAnswer) throw new Fault('unavailable', 'batch.answer_too_large', `the answer has more than ${longestAnswer / 1024 ** 2} million characters; ask for less in one line`)
  return text
}

/** The line that reports an error, in the words of its endpoint. */
export function errorLine(line: Pick<TakenLine, 'batch' | 'number' | 'customId' | 'endpoint'>, error: unknown): string {
  const { status, body } = (line.endpoint === '/v1/messages' ? anthropicError : openaiError)(error)
  return reportLine(line, status, body)
}

function reportLine({ batch, number, customId }: Pick<TakenLine, 'batch' | 'number' | 'customId'>, status: number, body: unknown): string {
  const id = toLineId(batch, number)
  return JSON.stringify({ id, custom_id: customId, response: { status_code: status, request_id: id, body }, error: null })
}

/** What may have passed before the window of a batch ends: money and room come again, and so does what the gate itself lacked, or the operator's word. */
const passing = new Set(['budget_exceeded', 'limit_reached', 'upstream.limited', 'upstream.resting', 'upstream.gone', 'label_moving', 'outbox.fenced', 'gate.not_compared'])

/** Seconds after which a line may be asked again, 0 where nobody knows; undefined: its error is its end. */
export function askAgainIn(error: unknown): number | undefined {
  if (isOfDatabase(error)) return 0
  const { code, details: { tried, retryAfter } } = toFault(error)
  const codes = [code, ...(Array.isArray(tried) ? (tried as { code?: string }[]).map((one) => one.code ?? '') : [])]
  if (!codes.some((one) => passing.has(one))) return undefined
  return typeof retryAfter === 'number' ? retryAfter : 0
}

/** The database was away: connections lost, shut down, or not enough of something (classes 08, 53 and 57 of SQLSTATE). */
function isOfDatabase(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(?:database\.|(?:08|53|57)...$|ECONN|EPIPE)/.test(code)
}
