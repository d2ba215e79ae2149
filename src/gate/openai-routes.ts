import { once } from 'node:events'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../kernel/fault.ts'
import { parseLevel } from '../labels/index.ts'
import { findSession, hashOfKey, sessionUnknown, type Answer, type CallRequest, type Session } from '../models/index.ts'
import type { GateDeps } from './app.ts'
import { eventWriter, wholeAnswer } from './openai-answer.ts'
import { readChat } from './read-chat.ts'
import { wireError } from './wire-error.ts'

declare module 'fastify' {
  interface FastifyRequest {
    castellanSession: Session | undefined
  }
}

/** OpenAI's wire: chat completions and the list of models. */
export function openaiRoutes(deps: GateDeps): FastifyPluginAsync {
  return async (app) => {
    app.decorateRequest('castellanSession', undefined)
    // before the body is read: who has no key cannot make us hold eight megabytes
    app.addHook('onRequest', async (request) => {
      request.castellanSession = await authenticate(deps, request)
    })

    app.get('/v1/models', async (request) => {
      const created = Math.floor(deps.clock.now().getTime() / 1000)
      const models = await deps.calls.list(sessionOf(request))
      const names = [...(models.length > 0 ? ['auto'] : []), ...models.map(({ upstream, model }) => `${upstream}/${model}`)]
      return { object: 'list', data: names.map((id) => ({ id, object: 'model', created, owned_by: id.includes('/') ? id.slice(0, id.indexOf('/')) : 'castellan' })) }
    })

    app.post('/v1/chat/completions', async (request, reply) => {
      const { stream, includeUsage, ...asked } = readChat(request.body)
      const call = { session: sessionOf(request), ...readHeaders(request), ...asked }
      const onClientGone = (abort: () => void) => (reply.raw.closed ? abort() : void reply.raw.once('close', abort))
      await deps.inFlight.track(onClientGone, async (signal) => {
        const answer = await deps.calls.call({ ...call, signal }).catch((error: unknown) => {
          throw failureOf(error, signal)
        })
        if (stream) return writeStream(deps, reply, answer, includeUsage, signal)
        const body = await wholeAnswer(answer, deps.clock.now()).catch((error: unknown) => {
          throw failureOf(error, signal)
        })
        return reply.header('x-castellan-upstream', answer.upstream).send(body)
      })
      return reply
    })
  }
}

async function authenticate(deps: GateDeps, request: FastifyRequest): Promise<Session> {
  const [, key] = /^Bearer (cst_[0-9a-f]{64})$/i.exec(request.headers.authorization ?? '') ?? []
  const session = key === undefined ? undefined : await findSession(deps.database, hashOfKey(key))
  if (!session) throw sessionUnknown()
  return session
}

function sessionOf(request: FastifyRequest): Session {
  if (!request.castellanSession) throw sessionUnknown()
  return request.castellanSession
}

/** `x-castellan-task` names the kind of work; `x-castellan-label` raises the label of this one call, e.g. for what a step has just read. */
function readHeaders(request: FastifyRequest): Pick<CallRequest, 'task' | 'atLeast'> {
  const { 'x-castellan-task': task, 'x-castellan-label': label } = request.headers
  if (task !== undefined && (typeof task !== 'string' || !/^[a-z][a-z0-9_.-]{0,49}$/.test(task))) {
    throw new Fault('invalid', 'request.invalid', 'x-castellan-task must be a task type: lower case letters, digits, _ . -, up to 50 of them', { param: 'x-castellan-task' })
  }
  return { task, atLeast: typeof label === 'string' ? parseLevel(label) : undefined }
}

/** An abort is told as what caused it. */
function failureOf(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : error
}

/** Streams server-sent events. What fails from here on is told inside the stream: another model must not finish what one has begun. */
async function writeStream(deps: GateDeps, reply: FastifyReply, answer: Answer, includeUsage: boolean, signal: AbortSignal): Promise<void> {
  reply.hijack()
  const { raw } = reply
  const writer = eventWriter(answer, includeUsage, deps.clock.now())
  const write = async (text: string) => {
    if (text !== '' && !raw.write(text)) await once(raw, 'drain', { signal })
  }
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-castellan-upstream': answer.upstream,
  })
  try {
    await write(writer.begin())
    for await (const chunk of answer.chunks) await write(writer.chunk(chunk))
    await write(writer.end())
  } catch (error) {
    const failure = failureOf(error, signal)
    if (raw.destroyed) return
    deps.log.warn({ err: failure, upstream: answer.upstream }, 'a streamed answer broke off')
    raw.write(`data: ${JSON.stringify(wireError(failure).body)}\n\n`)
  } finally {
    // a client that left before the first chunk was taken from the answer still has its call closed
    await answer.chunks.return?.()
    raw.end()
  }
}
