import type { Bytes } from './bytes.ts'

/** What is done with one message of a mailbox, as its bytes say it. */
export interface MailboxAct {
  readonly act: 'move' | 'flag'
  readonly account: string
  readonly text: string
}

type Fields = Readonly<Record<string, 'string' | 'number' | 'text or null' | 'texts' | object>>

const fields = {
  version: 'string', draft: 'string', act: 'string',
  message: { account: 'string', folder: 'string', uidvalidity: 'number', uid: 'number', message_id: 'text or null', sha256: 'string', size: 'number' },
  shown: { from: 'string', subject: 'string' },
} as const

interface Common {
  readonly version: string
  readonly message: { readonly account: string; readonly folder: string; readonly uidvalidity: number; readonly uid: number; readonly message_id: string | null; readonly size: number }
  readonly shown: { readonly from: string; readonly subject: string }
}
type Act = Common & ({ readonly act: 'move'; readonly to: string } | { readonly act: 'flag'; readonly add: readonly string[]; readonly remove: readonly string[] })

/** Acts are JSON, and no mail begins like that. Nothing when the bytes do not say one, or say more: all that they say is shown. */
export function readAct(bytes: Bytes): MailboxAct | undefined {
  const act = parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
  return act && { act: act.act, account: act.message.account, text: inWords(act) }
}

function parse(text: string): Act | undefined {
  let act: Act
  try {
    act = JSON.parse(text) as Act
  } catch {
    return undefined
  }
  const own: Fields = act?.act === 'move' ? { to: 'string' } : { add: 'texts', remove: 'texts' }
  // written again it is the same text: nothing in it was read over
  const isWhole = (act?.act === 'move' || act?.act === 'flag') && act.version === 'castellan-mailbox/1' && has(act, { ...fields, ...own }) && JSON.stringify(act) === text
  return isWhole ? act : undefined
}

/** Has it these fields, of these kinds, and no others? */
function has(value: unknown, wanted: Fields): boolean {
  if (typeof value !== 'object' || value === null) return false
  const given = value as Readonly<Record<string, unknown>>
  return Object.keys(given).length === Object.keys(wanted).length && Object.entries(wanted).every(([name, kind]) => {
    const field = given[name]
    if (typeof kind === 'object') return has(field, kind as Fields)
    if (kind === 'texts') return Array.isArray(field) && field.every((one) => typeof one === 'string')
    return kind === 'text or null' ? field === null || typeof field === 'string' : typeof field === kind
  })
}

/** The same words as the terminal shows. */
function inWords(act: Act): string {
  const { message: { account, folder, uidvalidity, uid, message_id: messageId, size }, shown: { from, subject } } = act
  return [
    act.act === 'move' ? `Move this message from ${folder} to ${act.to}.` : `Set: ${act.add.join(', ') || 'nothing'}. Take away: ${act.remove.join(', ') || 'nothing'}.`,
    '',
    `Mailbox: ${account}, folder ${folder}`,
    `From: ${from}`,
    `Subject: ${subject}`,
    `Message-ID: ${messageId ?? 'none'}`,
    `Number on the server: ${uid} (UIDVALIDITY ${uidvalidity}), ${size} bytes`,
    '',
  ].join('\n')
}
