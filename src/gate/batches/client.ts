import type { FastifyRequest } from 'fastify'
import { Fault } from '../../kernel/fault.ts'
import { describeLevel, join, PUBLIC_TRUSTED, type Label } from '../../labels/index.ts'
import type { Session } from '../../models/index.ts'
import { readHeaders, sessionOf } from '../authenticate.ts'

type ClientSession = Session & { readonly client: NonNullable<Session['client']> }

/** The key of a program. @throws Fault `batch.no_client` */
export function clientOf(request: FastifyRequest): ClientSession {
  const session = sessionOf(request)
  if (session.client) return session as ClientSession
  throw new Fault('refused', 'batch.no_client', 'files and batches outlive a run, and this key ends with its run; a program uses a key of its own: castellan key create NAME')
}

/** The label of what is sent in: the key's, or the higher one that the header says. @throws Fault `label_refused` */
export function labelOf(request: FastifyRequest, { label: least, client: { name, maxLevel } }: ClientSession): Label {
  const { atLeast = 0 } = readHeaders(request)
  const label = atLeast > least.level ? join(least, { ...PUBLIC_TRUSTED, level: atLeast }) : least
  if (label.level <= maxLevel) return label
  throw new Fault('refused', 'label_refused', `key ${name} is good up to ${describeLevel(maxLevel)}; make one with a higher --max-label for what carries more`, { level: describeLevel(label.level), lanes: label.lanes })
}
