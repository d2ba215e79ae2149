import { once } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { describeFailures, wasPassed, type Answer, type CallRequest, type EmbedAnswer, type EmbedCall } from '../models/index.ts'
import type { GateDeps } from './app.ts'
import { keyOf, readHeaders, sessionOf } from './authenticate.ts'
import { failureForLog } from './tell-errors.ts'
import type { Wire } from './wire.ts'

/** What a client asked for, whatever its wire. */
export interface AskedCall extends Pick<CallRequest, 'model' | 'conversation' | 'native'> {
  readonly stream: boolean
}

/** Makes a client's call and answers it on its wire. A client that leaves ends the call. */
export async function answerCall(deps: GateDeps, request: FastifyRequest, reply: FastifyReply, { stream, ...asked }: AskedCall, wire: Wire): Promise<FastifyReply> {
  const call = { session: sessionOf(request), key: keyOf(request) ?? '', ...readHeaders(request), ...asked }
  await whileClientWaits(deps, reply, async (signal) => {
    const answer = await deps.calls.call({ ...call, signal })
    if (stream) return writeStream(deps, reply, answer, wire, signal)
    const body = await wholeAnswer(answer, wire, deps.clock.now())
    return reply.headers(aboutAnswer(answer)).type('application/json; charset=utf-8').send(body)
  })
  return reply
}

/** Tells a client how many tokens a request holds, in the words of the upstream that counted them. */
export async function answerCount(deps: GateDeps, request: FastifyRequest, reply: FastifyReply, { model, conversation, native }: AskedCall): Promise<FastifyReply> {
  const asked = { session: sessionOf(request), ...readHeaders(request), model, conversation, native }
  const { upstream, body } = await whileClientWaits(deps, reply, (signal) => deps.calls.count({ ...asked, signal }))
  return reply.header('x-castellan-upstream', upstream).type('application/json; charset=utf-8').send(body)
}

/** Makes vectors for a client, and says in the headers who made them; the wire says how they are told. */
export async function answerEmbed(deps: GateDeps, request: FastifyRequest, reply: FastifyReply, asked: Pick<EmbedCall, 'model' | 'input' | 'dimensions'>): Promise<EmbedAnswer> {
  const answer = await whileClientWaits(deps, reply, (signal) => deps.calls.embed({ session: sessionOf(request), ...readHeaders(request), ...asked, signal }))
  reply.headers(aboutAnswer(answer))
  return answer
}

/** Work for a client, with a signal that aborts when it leaves or the gate stops. */
export function whileClientWaits<T>({ inFlight }: Pick<GateDeps, 'inFlight'>, reply: FastifyReply, work: (signal: AbortSignal) => PromiseLike<T>): Promise<T> {
  const onClientGone = (abort: () => void) => (reply.raw.closed ? abort() : void reply.raw.once('close', abort))
  return inFlight.track(onClientGone, async (signal) => {
    try {
      return await work(signal)
    } catch (error) {
      throw causeOf(error, signal)
    }
  })
}

/** An abort is told as what caused it. */
function causeOf(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : error
}

/** A whole answer: an object, or the very bytes of an upstream of the same wire. */
export async function wholeAnswer(answer: Answer, wire: Pick<Wire, 'whole'>, now: Date): Promise<object | Buffer> {
  return answer.native ? nativeWhole(answer) : wire.whole(answer, now)
}

async function nativeWhole(answer: Answer): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const chunk of answer.chunks) if (chunk.kind === 'native') pieces.push(chunk.bytes)
  return Buffer.concat(pieces)
}

/** Who answered, and who did not. */
function aboutAnswer({ upstream, tried, isCached }: Pick<Answer, 'upstream' | 'tried' | 'isCached'>): Record<string, string> {
  return {
    'x-castellan-upstream': upstream,
    ...(tried.length > 0 && { 'x-castellan-tried': describeFailures(tried) }),
    ...(isCached && { 'x-castellan-cache': 'hit' }),
  }
}

/** What fails from here on is told inside the stream: another model must not finish what one has begun. */
async function writeStream(deps: GateDeps, reply: FastifyReply, answer: Answer, wire: Wire, signal: AbortSignal): Promise<void> {
  reply.hijack()
  const { raw } = reply
  const writer = wire.stream(answer, deps.clock.now())
  const write = async (text: string | Uint8Array) => {
    if (text.length > 0 && !raw.write(text)) await once(raw, 'drain', { signal })
  }
  raw.writeHead(200, { 'content-type': wire.contentType, 'cache-control': 'no-cache', ...aboutAnswer(answer) })
  try {
    if (answer.native) {
      for await (const chunk of answer.chunks) {
        if (chunk.kind !== 'native') continue
        writer.passed?.(chunk.bytes)
        await write(writer.native?.bytes(chunk.bytes) ?? chunk.bytes)
      }
      await write(writer.native?.end() ?? '')
    } else {
      await write(writer.begin())
      for await (const chunk of answer.chunks) await write(writer.chunk(chunk))
      await write(writer.end())
    }
  } catch (error) {
    const cause = causeOf(error, signal)
    if (raw.destroyed) return
    deps.log.warn({ ...failureForLog(cause), upstream: answer.upstream }, 'a streamed answer broke off')
    if (!wasPassed(cause) || writer.native) raw.write(writer.broken(cause))
  } finally {
    // a client that left before the first chunk was taken from the answer still has its call closed
    await answer.chunks.return?.()
    raw.end()
  }
}
