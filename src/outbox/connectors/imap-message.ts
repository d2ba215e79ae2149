import type { ImapFlow } from 'imapflow'
import { sha256 } from '../document.ts'
import type { MailboxAct } from '../compose/mailbox-act.ts'

type Identity = MailboxAct['message']

/** Up to this size the bytes themselves are compared; they are read into memory for it. */
const comparable = 1024 * 1024

export interface FoundMessage {
  readonly uid: number
  readonly flags: readonly string[]
  /** Addresses in From, in lower case, as the server reads them. */
  readonly from: readonly string[]
}

/** The message with this number in the folder that is open, if it is the one that is meant. */
export async function findMessage(client: ImapFlow, uid: number, meant: Identity): Promise<FoundMessage | 'gone' | 'another'> {
  const whole = meant.size <= comparable
  const query = { uid: true, flags: true, size: true, envelope: true, ...(whole ? { source: { start: 0, maxLength: comparable + 1 } } : { headers: ['message-id'] }) }
  for await (const found of client.fetch(String(uid), query, { uid: true })) {
    if (found.uid !== uid) continue
    if (whole ? found.source === undefined : found.headers === undefined) continue
    const same = whole
      ? sha256(found.source!) === meant.sha256
      : found.size === meant.size && (meant.message_id === null || found.headers!.includes(meant.message_id))
    const from = (found.envelope?.from ?? []).flatMap(({ address }) => (address ? [address.toLowerCase()] : []))
    return same ? { uid, flags: [...(found.flags ?? [])].sort(), from } : 'another'
  }
  return 'gone'
}

/** Messages with that Message-ID that are looked at, to find one of them again. */
const candidates = 20

/** The newest message of the folder that is open that is the one that is meant, whatever its number. */
export async function findAgain(client: ImapFlow, meant: Identity): Promise<FoundMessage | undefined> {
  const uids = await client.search(meant.message_id === null ? { larger: meant.size - 1, smaller: meant.size + 1 } : { header: { 'message-id': meant.message_id } }, { uid: true })
  if (!Array.isArray(uids)) return undefined
  for (const uid of [...uids].sort((a, b) => b - a).slice(0, candidates)) {
    const found = await findMessage(client, uid, meant)
    if (typeof found === 'object') return found
  }
  return undefined
}
