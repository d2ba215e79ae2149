import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Fault } from '../kernel/fault.ts'
import { parseLevel } from '../labels/index.ts'
import { hashOfBody, hashOfKey, sessionUnknown, type CallRequest, type Session } from '../models/index.ts'
import type { GateDeps } from './app.ts'

declare module 'fastify' {
  interface FastifyRequest {
    castellanSession: Session | undefined
  }
}

/** Finds the session of each request before its body is read: who has no key cannot make us hold megabytes. `freshly`: where what is kept for a key is given out, and no call is opened that would ask the database again. */
export function authenticateFirst(app: FastifyInstance, deps: Pick<GateDeps, 'sessions'>, how?: { readonly freshly: boolean }): void {
  app.decorateRequest('castellanSession', undefined)
  app.addHook('onRequest', async (request) => {
    if (Object.hasOwn(request.query as object, 'key')) throw keyInAddress()
    const key = keyOf(request)
    request.castellanSession = key === undefined ? undefined : await deps.sessions.find(hashOfKey(key), how)
    if (!request.castellanSession) throw sessionUnknown()
  })
}

/** Older clients of Gemini send a key that way. The answer does not depend on whether it is one. */
function keyInAddress(): Fault {
  return new Fault('refused', 'key_in_address', 'a key in the address (?key=) ends up in logs and histories, so none is taken there: send it as x-goog-api-key, x-api-key or authorization: Bearer. If it was a real one, revoke it: castellan key revoke NAME')
}

/** @throws Fault `session_unknown` */
export function sessionOf(request: FastifyRequest): Session {
  if (!request.castellanSession) throw sessionUnknown()
  return request.castellanSession
}

/** OpenAI's and Ollama's clients send a bearer token, Anthropic's `x-api-key`, Gemini's `x-goog-api-key`. */
export function keyOf({ headers }: FastifyRequest): string | undefined {
  const given = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? /^Bearer (.*)$/i.exec(headers.authorization ?? '')?.[1]
  return typeof given === 'string' && /^(?:cst|ck)_[0-9a-f]{64}$/.test(given) ? given : undefined
}

/** `x-castellan-task` names the kind of work; `x-castellan-label` raises the label of this one call, e.g. for what a step has just read. */
export function readHeaders(request: FastifyRequest): Pick<CallRequest, 'task' | 'atLeast' | 'cacheControl' | 'declassification'> {
  const { 'x-castellan-task': task, 'x-castellan-label': label, 'x-castellan-declassification': record, 'cache-control': cacheControl } = request.headers
  if (task !== undefined && (typeof task !== 'string' || !/^[a-z][a-z0-9_.-]{0,49}$/.test(task))) {
    throw new Fault('invalid', 'request.invalid', 'x-castellan-task must be a task type: lower case letters, digits, _ . -, up to 50 of them', { param: 'x-castellan-task' })
  }
  if (record !== undefined && (typeof record !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(record))) {
    throw new Fault('invalid', 'request.invalid', 'x-castellan-declassification must be the id of a record', { param: 'x-castellan-declassification' })
  }
  return {
    task,
    cacheControl: /\bno-store\b/i.test(cacheControl ?? '') ? 'no-store' : /\bno-cache\b/i.test(cacheControl ?? '') ? 'no-cache' : undefined,
    atLeast: typeof label === 'string' ? parseLevel(label) : undefined,
    ...(record !== undefined && { declassification: { id: record, bodyHash: hashOfBody(request.body) } }),
  }
}
