import type { ImapFlow } from 'imapflow'
import type { ImapAccount } from '../../house/index.ts'
import { imapFault } from '../../imap/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { MailboxAct } from '../compose/mailbox-act.ts'
import type { Receipt } from './connector.ts'
import { findAgain, findMessage } from './imap-message.ts'

interface UndoDeps {
  readonly account: ImapAccount
  enter(): Promise<ImapFlow>
}

/**
 * Puts one message back where it was, or takes back what of its flags the act changed. A second time it finds that done.
 * @throws Fault `draft.not_undone`; nothing was changed then
 */
export async function undoInMailbox(act: MailboxAct, receipt: Receipt, { account, enter }: UndoDeps): Promise<Receipt> {
  try {
    const client = await enter()
    try {
      return act.act === 'move' ? await moveBack(client, act) : await flagBack(client, act, receipt)
    } finally {
      client.close()
    }
  } catch (error) {
    throw error instanceof Fault ? error : imapFault(account, error)
  }
}

async function moveBack(client: ImapFlow, { message, to }: MailboxAct & { act: 'move' }): Promise<Receipt> {
  await client.mailboxOpen(to, { readOnly: false })
  const found = await findAgain(client, message)
  if (!found) {
    await client.mailboxOpen(message.folder, { readOnly: true })
    if (await findAgain(client, message)) return { account: message.account, restored_to: message.folder }
    throw notUndone('missing', `the message is neither in ${to} nor in ${message.folder}: somebody moved or deleted it since`)
  }
  if (!client.capabilities.has('MOVE') && !client.capabilities.has('UIDPLUS')) throw notUndone('refused', 'the server can neither MOVE a message nor delete a single one (UIDPLUS)')
  const moved = await client.messageMove(String(found.uid), message.folder, { uid: true })
  if (!moved) throw notUndone('refused', `the server did not move the message from ${to} to ${message.folder}`)
  return { account: message.account, restored_to: message.folder }
}

/** What was set before the act stays set, and what was not set stays away: the receipt says which. */
async function flagBack(client: ImapFlow, { message, add, remove }: MailboxAct & { act: 'flag' }, { before }: Receipt): Promise<Receipt> {
  if (typeof before !== 'string') throw notUndone('refused', 'nobody knows which flags the message had before; set them by hand')
  const had = new Set(before.split(' ').map((flag) => flag.toLowerCase()))
  await client.mailboxOpen(message.folder, { readOnly: false })
  if (typeof (await findMessage(client, message.uid, message)) !== 'object') throw notUndone('missing', `the message is not in ${message.folder} any more`)
  const away = add.filter((flag) => !had.has(flag.toLowerCase()))
  const again = remove.filter((flag) => had.has(flag.toLowerCase()))
  if (away.length > 0) await client.messageFlagsRemove(String(message.uid), away, { uid: true })
  if (again.length > 0) await client.messageFlagsAdd(String(message.uid), again, { uid: true })
  const after = await findMessage(client, message.uid, message)
  return { account: message.account, folder: message.folder, flags: typeof after === 'object' ? after.flags.join(' ') : '' }
}

function notUndone(kind: Fault['kind'], why: string): Fault {
  return new Fault(kind, 'draft.not_undone', `nothing was changed: ${why}`)
}
