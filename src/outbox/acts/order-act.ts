import type { ActFrame } from './outbound-act.ts'

/** The acts that an order may be about: small ones that can be undone, and words to the operator himself. */
export const orderedKinds = ['mail.move', 'mail.flag', 'files.move', 'telegram.message'] as const
export type OrderedKind = (typeof orderedKinds)[number]

/** Acts of one kind, within one scope, so many a day, that need no signature of their own until then. */
export interface OrderAct extends ActFrame {
  readonly kind: 'order.stand'
  readonly name: string
  /** What is not for exactly this way out is not covered. */
  readonly covers: { readonly kind: string; readonly connector: string; readonly connector_kind: string; readonly account: string }
  readonly scope: OrderScope
  readonly per_day: number
  /** IANA zone in which a day begins. */
  readonly timezone: string
  /** The highest level of a label. */
  readonly level: number
  /** ISO; null: until it is taken back. */
  readonly expires_at: string | null
}

/** What the kind has no use for is null or empty. */
export interface OrderScope {
  /** Of mail the folder of the mailbox, of files the folder they are in. */
  readonly from: string | null
  readonly to: string | null
  /** Addresses in lower case. */
  readonly senders: readonly string[]
  /** Flags that may be set, and taken away. */
  readonly add: readonly string[]
  readonly remove: readonly string[]
  /** A declared folder. */
  readonly folder: string | null
  readonly chat: string | null
}

export const orderShape = {
  name: 'string', covers: { fields: { kind: 'string', connector: 'string', connector_kind: 'string', account: 'string' } },
  scope: {
    fields: {
      from: 'text or null', to: 'text or null', senders: { list: 'string' }, add: { list: 'string' }, remove: { list: 'string' }, folder: 'text or null', chat: 'text or null',
    },
  },
  per_day: 'number', timezone: 'string', level: 'number', expires_at: 'text or null',
} as const

const levels = ['P0 public', 'P1 low', 'P2 internal', 'P3 local only']

export function wordsOfOrder({ name, covers, scope, per_day: perDay, timezone, level, expires_at: end }: OrderAct): string {
  return [
    `From then on this is done without asking you each time, as the order ${name}:`,
    '',
    ...wordsOfScope(covers.kind, scope),
    '',
    `By: ${covers.connector} (${covers.connector_kind}) to ${covers.account}`,
    `At most: ${perDay} a day, counted from midnight in ${timezone}`,
    `Up to: ${levels[level] ?? `P${level}`}`,
    `Until: ${end ?? 'you take it back'}`,
    '',
    'Whatever is not exactly that waits for your signature as before, and so does what is over the count, of risk 7 or more, or labelled higher.',
    'Each of them is held like what you sign yourself, is listed with this order as who approved it, and can be undone: castellan draft undo.',
    `To take it back: castellan order revoke ${name}`,
    '',
  ].join('\n')
}

function wordsOfScope(kind: string, { from, to, senders, add, remove, folder, chat }: OrderScope): string[] {
  const bySender = ['whose sender is exactly one of these, as the mail says it of itself:', ...senders.map((one) => `  ${one}`)]
  if (kind === 'mail.move') return [`Move messages from ${from} to ${to}`, ...bySender]
  if (kind === 'mail.flag') return [`In ${from}: set ${add.join(', ') || 'nothing'}; take away ${remove.join(', ') || 'nothing'}, on messages`, ...bySender]
  if (kind === 'files.move') return [`Move single files of the folder ${folder} from ${from}/ to ${to}/, or deeper in either`]
  if (kind === 'telegram.message') return [`Send messages to the chat ${chat} in Telegram, which you say is your own: whatever a job writes there`]
  return [`Acts of the kind ${kind}, which this order cannot be about`]
}
