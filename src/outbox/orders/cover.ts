import type { FilesAct } from '../acts/files-act.ts'
import type { TelegramMessageAct } from '../acts/message-act.ts'
import { orderedKinds, type OrderAct, type OrderScope, type OrderedKind } from '../acts/order-act.ts'
import { readOutboundAct } from '../acts/outbound-act.ts'
import { readMailboxAct, type MailboxAct } from '../compose/mailbox-act.ts'
import type { DraftDocument } from '../document.ts'
import { sessionMaySign } from '../risk.ts'

/** Pure rules of a standing order: out of the bytes that were signed and of the bytes that would leave, and nothing else. */

export function isOrderedKind(kind: string): kind is OrderedKind {
  return orderedKinds.some((one) => one === kind)
}

/** Is this act exactly one of those that the order is about? Bytes that cannot be read are about nothing. */
export function isAbout({ covers, scope }: OrderAct, { kind, connector, account }: DraftDocument, wire: Uint8Array): boolean {
  const same = kind === covers.kind && connector.name === covers.connector && connector.kind === covers.connector_kind && account === covers.account
  if (!same || !isOrderedKind(kind)) return false
  try {
    return inScope[kind](scope, wire)
  } catch {
    return false
  }
}

/** Why an order that is about such acts does not approve this one now, in words; nothing when it does. */
export function whyNot({ name, level, expires_at: end }: OrderAct, { kind, risk, label }: DraftDocument, now: Date): string | undefined {
  if (end !== null && Date.parse(end) <= now.getTime()) return `the order ${name} was over on ${end}`
  if (!sessionMaySign({ kind, risk, label })) return `it has risk ${risk} and label P${label.level}, which no order approves`
  if (label.level > level) return `its label is P${label.level}, and the order ${name} is for P${level} at most`
  return undefined
}

const inScope: Readonly<Record<OrderedKind, (scope: OrderScope, wire: Uint8Array) => boolean>> = {
  'mail.move': (scope, wire) => {
    const act = readMailboxAct(wire)
    return act.act === 'move' && isFrom(scope, act) && act.to === scope.to
  },
  'mail.flag': (scope, wire) => {
    const act = readMailboxAct(wire)
    return act.act === 'flag' && isFrom(scope, act) && within(act.add, scope.add) && within(act.remove, scope.remove)
  },
  // one file, so that the count of the day is a count of files
  'files.move': ({ folder, from, to }, wire) => {
    const act = readOutboundAct(wire) as FilesAct
    const [item, ...more] = act.items
    const isOne = item !== undefined && more.length === 0 && act.entries.length === 1 && act.entries[0]!.type === 'file' && act.entries[0]!.path === item.from
    return isOne && act.kind === 'files.move' && act.folder === folder && item.from.startsWith(`${from}/`) && item.to.startsWith(`${to}/`)
  },
  'telegram.message': ({ chat }, wire) => {
    const act = readOutboundAct(wire) as TelegramMessageAct
    return act.kind === 'telegram.message' && act.chat === chat
  },
}

function isFrom({ from, senders }: OrderScope, { message, shown }: MailboxAct): boolean {
  return message.folder === from && senders.includes(shown.from.toLowerCase())
}

function within(some: readonly string[], all: readonly string[]): boolean {
  return some.every((one) => all.includes(one))
}
