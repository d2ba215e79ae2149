import type { ImapFlow } from 'imapflow'
import type { ImapConnectorSettings } from '../../house/index.ts'
import { imapFault, type Entrance } from '../../imap/index.ts'
import { Fault, toFault } from '../../kernel/fault.ts'
import { readMailboxAct, type MailboxAct } from '../compose/mailbox-act.ts'
import type { Connector, Receipt } from './connector.ts'
import { undoInMailbox } from './imap-undo.ts'
import { findAgain, findMessage, type FoundMessage } from './imap-message.ts'

const limits = { literal: 2 * 1024 * 1024, silenceMs: 30_000 }
const reconcileMs = 60_000

/** Moves messages of one mailbox and sets their flags: one message, which has to be the very one that was signed for. */
export function createImapConnector({ name, account }: ImapConnectorSettings, entrance: Entrance): Connector {
  /** A session for this act alone. Whatever it does before `commit` changes nothing. */
  async function session<T>(act: MailboxAct, { readOnly, signal }: { readOnly: boolean; signal: AbortSignal }, work: (client: ImapFlow) => Promise<T>): Promise<T> {
    const client = await entrance.enter(limits, { signal })
    try {
      await open(client, act, readOnly)
      return await work(client)
    } finally {
      client.close()
    }
  }

  async function open(client: ImapFlow, { message: { folder, uidvalidity } }: MailboxAct, readOnly: boolean): Promise<void> {
    const opened = await client.mailboxOpen(folder, { readOnly })
    if (opened.uidValidity !== BigInt(uidvalidity)) throw notDone('conflict', `the server has named the messages of ${folder} anew since; propose it again`)
  }

  async function prepare(client: ImapFlow, act: MailboxAct): Promise<FoundMessage> {
    const { message } = act
    if (message.account !== account.name) throw notDone('refused', `the message is in the mailbox ${message.account}, and this connector works in ${account.name}`)
    const found = await findMessage(client, message.uid, message)
    if (found === 'gone') throw notDone('missing', `the message is not in ${message.folder} any more`)
    if (found === 'another') throw notDone('conflict', `number ${message.uid} in ${message.folder} is another message now`)
    // a worker read the sender that was shown, and an order may go by it: the server read it as well
    const said = act.shown.from.toLowerCase()
    if (said.includes('@') && !found.from.includes(said)) {
      throw notDone('refused', `the server says that the message is from ${found.from.join(', ') || 'nobody'}, and what was frozen says ${act.shown.from}; propose it again`)
    }
    if (act.act === 'move') {
      // without either, taking it out of its folder would take out all that is marked as deleted there
      if (!client.capabilities.has('MOVE') && !client.capabilities.has('UIDPLUS')) throw notDone('refused', 'the server can neither MOVE a message nor delete a single one (UIDPLUS)')
      if (!(await client.status(act.to, { messages: true }).catch(() => false))) throw notDone('missing', `there is no folder ${act.to} in the mailbox ${account.name}`)
    }
    return found
  }

  async function carryOut(client: ImapFlow, act: MailboxAct, before: FoundMessage): Promise<Receipt> {
    const { message } = act
    if (act.act === 'move') {
      const moved = await client.messageMove(String(message.uid), act.to, { uid: true })
      if (!moved) throw await refused(client, act)
      const uid = moved.uidMap?.get(message.uid)
      return { account: account.name, from: message.folder, to: act.to, ...(uid !== undefined && { uid }), ...(moved.uidValidity && { uidvalidity: Number(moved.uidValidity) }) }
    }
    if (act.add.length > 0) await client.messageFlagsAdd(String(message.uid), [...act.add], { uid: true })
    if (act.remove.length > 0) await client.messageFlagsRemove(String(message.uid), [...act.remove], { uid: true })
    const after = await findMessage(client, message.uid, message)
    const receipt = typeof after === 'object' ? flagReceipt(act, after) : undefined
    if (receipt) return { ...receipt, before: before.flags.join(' ') }
    if (typeof after === 'object' && String(after.flags) === String(before.flags)) throw notDone('refused', `the server did not change the flags; ${message.folder} may not allow these`)
    throw new Fault('unavailable', 'connector.unknown', 'the flags are not as they should be; look at the message')
  }

  function flagReceipt(act: MailboxAct, { flags, uid }: FoundMessage): Receipt | undefined {
    if (act.act !== 'flag') return undefined
    const has = (flag: string) => flags.some((one) => one.toLowerCase() === flag.toLowerCase())
    if (!act.add.every(has) || act.remove.some(has)) return undefined
    return { account: account.name, folder: act.message.folder, uid, flags: flags.join(' ') }
  }

  /** The answer was no, or there was none: the message still being there says that nothing was done. */
  async function refused(client: ImapFlow, act: MailboxAct): Promise<Fault> {
    const found = client.usable ? await findMessage(client, act.message.uid, act.message).catch(() => undefined) : undefined
    if (typeof found === 'object') return notDone('refused', 'the server did not move the message')
    return new Fault('unavailable', 'connector.unknown', 'the connection broke while the message was moved')
  }

  return {
    name,
    kind: 'imap',
    account: `${account.name} (${account.user}@${account.host})`,
    // folder and flags are told to whoever keeps the mailbox
    zone: 'internet',
    from: account.name,
    accepts: (kind) => kind === 'mail.move' || kind === 'mail.flag',
    async deliver(wire, _document, signal, commit) {
      let begun = false
      try {
        signal.throwIfAborted()
        const act = readMailboxAct(wire)
        return await session(act, { readOnly: false, signal }, async (client) => {
          const before = await prepare(client, act)
          signal.throwIfAborted()
          await commit()
          begun = true
          return carryOut(client, act, before)
        })
      } catch (error) {
        const fault = begun || signal.aborted ? toFault(error) : imapFault(account, error)
        if (begun || fault.code.startsWith('connector.') || fault.code.startsWith('nonce.') || fault.code === 'releaser.replaced') throw fault
        // a server that cannot be reached now may be later
        if (fault.kind === 'unavailable') throw notYet(account.name, fault)
        throw notDone(fault.kind, fault.message, fault)
      }
    },
    async undo(wire, _document, receipt = {}) {
      return undoInMailbox(readMailboxAct(wire), receipt, { account, enter: () => entrance.enter(limits, { signal: AbortSignal.timeout(reconcileMs) }) })
    },
    async reconcile(wire) {
      const act = readMailboxAct(wire)
      return session(act, { readOnly: true, signal: AbortSignal.timeout(reconcileMs) }, async (client): Promise<Receipt | undefined> => {
        const here = await findMessage(client, act.message.uid, act.message)
        if (act.act === 'flag') return typeof here === 'object' ? flagReceipt(act, here) : undefined
        if (here !== 'gone') return undefined
        const { uidValidity } = await client.mailboxOpen(act.to, { readOnly: true })
        const there = await findAgain(client, act.message)
        return there && { account: account.name, from: act.message.folder, to: act.to, uid: there.uid, uidvalidity: Number(uidValidity) }
      })
    },
  }
}

/** What the server said stays with the draft; the audit has the brief of it. */
function notYet(account: string, cause: Fault): Fault {
  const brief = `the mail server of the account ${account} did not answer as it should`
  return new Fault('unavailable', 'connector.try_again', `nothing was changed: ${cause.message}`, { brief }, cause)
}

function notDone(kind: Fault['kind'], why: string, cause?: unknown): Fault {
  return new Fault(kind, 'connector.not_sent', `nothing was changed: ${why}`, {}, cause)
}
