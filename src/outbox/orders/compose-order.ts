import { z } from 'zod'
import type { Connector as ConnectorSettings } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { OrderScope } from '../acts/order-act.ts'
import type { Composed, Frame } from '../compose/composed.ts'
import { toFlag } from '../compose/mailbox-act.ts'
import { composeOutbound, readPayload } from '../compose/outbound.ts'
import type { Connector } from '../connectors/connector.ts'

const dayMs = 86_400_000
/** Of what is not said to the operator himself: a year, and the day on which it is renewed. */
const longestDays = 366

const common = {
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a name has small letters, digits and -, and begins with a letter'),
  connector: z.string().min(1).max(63),
  per_day: z.int().min(1).max(1_000),
  level: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(2),
  expires_at: z.iso.datetime(),
}
// what is shown is what is compared: no character that looks like another, or like none
const plain = z.string().min(1).max(300).regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u, 'one line of visible characters')
const sender = z.string().max(320).regex(/^[\u0021-\u007e]+@[\u0021-\u007e]+$/, 'a sender is one whole address, such as news@example.org').transform((text) => text.toLowerCase())
const senders = z.array(sender).min(1).max(100).transform((list) => [...new Set(list)].sort())
const flags = z.array(z.string().regex(/^[A-Za-z0-9_$-]{1,50}$/, 'a flag is seen, flagged, answered, or a keyword')).max(20).default([]).transform((list) => [...new Set(list.map(toFlag))].sort())
const path = z.string().regex(/^[^/\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]+(?:\/[^/\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]+)*$/u, 'a folder in the folder, such as inbox/scans').max(500)
  .refine((text) => text.split('/').every((part) => part !== '.' && part !== '..'), 'without . and ..')

/** What may be asked for, by the operator or by a run. Where a connector leads and when a day begins, the releaser knows by itself. */
const payloadSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('mail.move'), from: plain, to: plain, senders }),
  z.strictObject({ ...common, kind: z.literal('mail.flag'), from: plain, senders, add: flags, remove: flags }),
  z.strictObject({ ...common, kind: z.literal('files.move'), folder: plain, from: path, to: path }),
  z.strictObject({ ...common, expires_at: z.iso.datetime().nullable(), kind: z.literal('telegram.message') }),
])
export type OrderPayload = z.infer<typeof payloadSchema>

export interface OrderHouse {
  findConnector(name: string): Connector | undefined
  readonly declared: readonly ConnectorSettings[]
  readonly timezone: string
}

/** The bytes of an order. @throws Fault `draft.payload`, `order.connector`, `order.undo`, `order.chat`, `order.expires`, `order.flags` */
export function composeOrder(payload: unknown, frame: Frame, { findConnector, declared, timezone }: OrderHouse): Composed {
  const wanted = readPayload(payloadSchema, payload, 'order')
  const connector = findConnector(wanted.connector)
  if (!connector) throw new Fault('invalid', 'order.connector', `there is no connector ${wanted.connector}; castellan.yaml declares them under outbox.connectors`)
  if (!connector.accepts(wanted.kind)) throw new Fault('invalid', 'order.connector', `connector ${connector.name} carries nothing of kind ${wanted.kind}`)
  const chat = wanted.kind === 'telegram.message' ? ownChat(connector.name, declared) : null
  if (chat === null && !connector.undo) throw new Fault('refused', 'order.undo', `what ${connector.name} does cannot be undone, so that each act takes a signature of its own`)
  checkEnd(wanted.expires_at, frame.at)
  const scope: OrderScope = { from: null, to: null, senders: [], add: [], remove: [], folder: null, ...scopeOf(wanted), chat }
  if (wanted.kind === 'mail.flag' && scope.add.length + scope.remove.length === 0) throw new Fault('invalid', 'order.flags', 'name at least one flag that may be set or taken away')
  const act = {
    kind: 'order.stand', name: wanted.name, per_day: wanted.per_day, timezone, level: wanted.level, expires_at: wanted.expires_at, scope,
    covers: { kind: wanted.kind, connector: connector.name, connector_kind: connector.kind, account: connector.account },
  } as const
  return composeOutbound(act, frame, {
    title: `Standing order ${wanted.name}: ${wanted.kind} by ${connector.name}, ${wanted.per_day} a day`, to: [],
    undo: `Afterwards: \`castellan order revoke ${wanted.name}\`, which takes effect at once; what it approved until then is listed, and each can be undone.`,
  })
}

function scopeOf(wanted: OrderPayload): Partial<OrderScope> {
  switch (wanted.kind) {
    case 'mail.move':
      return { from: wanted.from, to: wanted.to, senders: wanted.senders }
    case 'mail.flag':
      return { from: wanted.from, senders: wanted.senders, add: wanted.add, remove: wanted.remove }
    case 'files.move':
      return { folder: wanted.folder, from: wanted.from, to: wanted.to }
    case 'telegram.message':
      return {}
  }
}

/** In Telegram the number of a chat with one person is that of the person; groups and channels have others. */
function ownChat(connector: string, declared: readonly ConnectorSettings[]): string {
  const settings = declared.find(({ name }) => name === connector)
  if (settings?.kind === 'telegram' && /^[1-9]\d*$/.test(settings.chat)) return settings.chat
  throw new Fault('refused', 'order.chat', `connector ${connector} leads to a group or channel; messages need no signature of their own only in a chat with you alone`)
}

function checkEnd(end: string | null, now: Date): void {
  if (end === null) return
  if (Date.parse(end) <= now.getTime()) throw new Fault('invalid', 'order.expires', 'it would be over before it began; name a time to come')
  if (Date.parse(end) > now.getTime() + longestDays * dayMs) throw new Fault('invalid', 'order.expires', `an order stands for ${longestDays} days at most; name an earlier end, and renew it then`)
}
