import type { FastifyRequest } from 'fastify'
import { wrong } from '../check.ts'
import { uuidOf } from './batch-id.ts'

/** Which part of a list a client wants. @throws Fault `request.invalid` */
export function readPage({ query }: FastifyRequest, prefix: 'file-' | 'batch_', most: number): { after: string | null; limit: number; query: Readonly<Record<string, unknown>> } {
  const asked = query as Record<string, unknown>
  const limit = asked['limit'] === undefined ? Math.min(20, most) : Number(asked['limit'])
  if (!Number.isInteger(limit) || limit < 1 || limit > most) throw wrong('limit', `a whole number from 1 to ${most}`)
  const after = asked['after'] === undefined ? null : uuidOf(prefix, asked['after'])
  if (after === undefined) throw wrong('after', 'an id of this list')
  return { after, limit, query: asked }
}
