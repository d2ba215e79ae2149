import { request } from 'undici'
import { Fault } from '../../kernel/fault.ts'
import { probes, type Probe, type Said } from './probes.ts'

/** Where to ask: a gate, by a key of its own. */
export interface GateAccess {
  /** e.g. http://127.0.0.1:7402 */
  readonly address: string
  readonly key: string
}

export interface Ability {
  readonly works: boolean
  readonly why: string | null
}

export interface ModelTest {
  readonly state: 'answered' | 'failed'
  /** As the gate names who answered. */
  readonly answered_by: string | null
  /** Milliseconds until the first piece of a streamed answer, through the gate; a local model may have had to be loaded. */
  readonly first_piece_ms: number | null
  readonly took_ms: number
  readonly abilities: Readonly<Record<Probe['ability'], Ability>>
}

/** Milliseconds for one question; the first may have to wait for a local model to be loaded. */
const patience = 240_000
const mostAnswerBytes = 1024 * 1024
/** Enough for a model that thinks before it answers. */
const maxTokens = 512

/** Asks a model a few short questions through its gate, one after the other, and tells what it can do. A model that does not answer fails them all. */
export async function testModel(access: GateAccess, model: string): Promise<ModelTest> {
  const began = performance.now()
  const abilities: Partial<Record<Probe['ability'], Ability>> = {}
  let answeredBy: string | null = null
  let firstPieceMs: number | null = null
  for (const probe of probes) {
    try {
      const { said, model: by, firstMs } = await ask(access, model, probe)
      answeredBy ??= by
      if (probe.ability === 'streaming') firstPieceMs = firstMs
      const why = probe.judge(said)
      abilities[probe.ability] = { works: why === undefined, why: why ?? null }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      // an unreachable gate, or a key that opens nothing, says nothing about the model
      if (error.code === 'gate.unreachable' || error.code === 'session_unknown') throw error
      abilities[probe.ability] = { works: false, why: error.message }
    }
  }
  return {
    state: answeredBy === null ? 'failed' : 'answered',
    answered_by: answeredBy,
    first_piece_ms: firstPieceMs,
    took_ms: Math.round(performance.now() - began),
    abilities: abilities as ModelTest['abilities'],
  }
}

async function ask({ address, key }: GateAccess, model: string, { body }: Probe): Promise<{ said: Said; model: string; firstMs: number }> {
  const began = performance.now()
  const answer = await request(`${address}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-castellan-task': 'model-test' },
    body: JSON.stringify({ model, max_tokens: maxTokens, ...body }),
    headersTimeout: patience,
    bodyTimeout: patience,
  }).catch((error: unknown) => {
    throw new Fault('unavailable', 'gate.unreachable', `the gate at ${address} does not answer (${(error as Error).message}); \`castellan status\` says how it is`, {}, error)
  })
  let text = ''
  let firstMs = 0
  answer.body.setEncoding('utf8')
  try {
    for await (const piece of answer.body as AsyncIterable<string>) {
      if (text === '') firstMs = Math.round(performance.now() - began)
      text += piece
      if (text.length > mostAnswerBytes) throw new Fault('unavailable', 'model.answer', `the answer has more than ${mostAnswerBytes} characters`)
    }
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('unavailable', 'model.answer', `the answer broke off (${(error as Error).message})`, {}, error)
  }
  if (answer.statusCode !== 200) throw refusal(text, answer.statusCode)
  return { ...read(body['stream'] === true ? events(text) : [parse(text)]), firstMs }
}

interface Completion {
  readonly model?: string
  readonly error?: { readonly code?: string; readonly message?: string }
  readonly choices?: readonly Partial<Record<'message' | 'delta', Piece>>[]
}

interface Piece {
  readonly content?: string | null
  readonly reasoning_content?: string | null
  readonly tool_calls?: readonly { readonly function?: { readonly name?: string; readonly arguments?: string } }[]
}

function read(chunks: readonly Completion[]): { said: Said; model: string } {
  const broken = chunks.find(({ error }) => error !== undefined)?.error
  if (broken) throw new Fault('unavailable', broken.code ?? 'model.answer', broken.message ?? 'the answer broke off')
  const said = chunks.flatMap(({ choices }) => choices ?? []).map(({ message, delta }) => message ?? delta ?? {})
  const model = chunks.find((chunk) => chunk.model !== undefined)?.model
  if (model === undefined) throw new Fault('unavailable', 'model.answer', 'the gate answered something that is no chat completion')
  return {
    model,
    said: {
      text: said.map(({ content }) => content ?? '').join(''),
      calls: said.flatMap(({ tool_calls: calls }) => calls ?? []).map((call) => ({ name: call.function?.name ?? '', arguments: call.function?.arguments ?? '' })),
      pieces: said.filter((piece) => piece.content || piece.reasoning_content || piece.tool_calls?.length).length,
    },
  }
}

function events(text: string): Completion[] {
  return text.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]').map((line) => parse(line.slice('data: '.length)))
}

function parse(text: string): Completion {
  try {
    return JSON.parse(text) as Completion
  } catch (error) {
    throw new Fault('unavailable', 'model.answer', 'the gate answered something that is no JSON', {}, error)
  }
}

function refusal(text: string, status: number): Fault {
  const error = ((): Completion['error'] => {
    try {
      return (JSON.parse(text) as Completion).error
    } catch {
      return undefined
    }
  })()
  return new Fault(status === 401 ? 'refused' : 'unavailable', error?.code ?? 'model.answer', error?.message ?? `the gate answered with status ${status}`)
}
