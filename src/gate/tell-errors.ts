import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Fault } from '../kernel/fault.ts'
import type { GateDeps } from './app.ts'
import { requestFault, type WireError } from './wire-error.ts'

/** The most that a request may hold, in bytes. */
export const bodyLimit = 8 * 1024 * 1024

/** A failure as a log may have it, which has no label: an upstream may say in its words what it was asked. */
export function failureForLog(error: unknown): object {
  if (!(error instanceof Fault) || !error.code.startsWith('upstream.')) return { err: error }
  const { upstream, status } = error.details
  return { code: error.code, ...(upstream !== undefined && { upstream }), ...(status !== undefined && { status }) }
}

/** Errors of this app's routes are told in the words of their wire. */
export function tellErrors(app: FastifyInstance, { log, onFault }: Pick<GateDeps, 'log' | 'onFault'>, toWire: (error: unknown, request: FastifyRequest) => WireError): void {
  app.setErrorHandler((error, request, reply) => {
    const fault = requestFault(error, bodyLimit)
    onFault?.(fault)
    const { status, headers, body } = toWire(fault, request)
    if (status >= 500) log.warn(failureForLog(fault), 'a call could not be answered')
    void reply.status(status).headers(headers).send(body)
  })
}
