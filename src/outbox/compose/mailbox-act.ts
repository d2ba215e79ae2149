import canonicalize from 'canonicalize'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { join } from '../../labels/index.ts'
import { oneLine } from '../acts/cut-text.ts'
import type { Composed, Frame, MirroredMessage } from './composed.ts'
import { refuseControls } from './text.ts'

const version = 'castellan-mailbox/1'
const flag = z.string().regex(/^(?:\\(?:Seen|Flagged|Answered)|[A-Za-z0-9_$-]{1,50})$/)
const flags = z.array(flag).max(20)

/** One message, so that no other is taken for it: where it is on the server, and what it is. */
const message = z.strictObject({
  account: z.string(), folder: z.string(), uidvalidity: z.int().positive(), uid: z.int().positive(),
  message_id: z.string().nullable(), sha256: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative(),
})
const shown = z.strictObject({ from: z.string(), subject: z.string() }).describe('as a worker read them, for whoever signs')
const common = { version: z.literal(version), draft: z.uuid(), message, shown }
const actSchema = z.discriminatedUnion('act', [
  z.strictObject({ ...common, act: z.literal('move'), to: z.string() }),
  z.strictObject({ ...common, act: z.literal('flag'), add: flags, remove: flags }),
])
export type MailboxAct = z.infer<typeof actSchema>

/** What a worker may say: a message of the mirror by its id. Where that is, the releaser knows by itself. */
const moveSchema = z.strictObject({ message: z.uuid(), to: z.string().min(1).max(300) })
const words = ['seen', 'flagged', 'answered'] as const
const flagWord = z.union([z.enum(words), z.string().regex(/^[A-Za-z0-9_$-]{1,50}$/, 'a keyword has letters, digits, _ $ and -')])
const flagSchema = z.strictObject({ message: z.uuid(), add: z.array(flagWord).max(20).default([]), remove: z.array(flagWord).max(20).default([]) })

/** A message that is put into another folder of its mailbox. @throws Fault `mailbox.payload`, `mailbox.message`, `mail.control` */
export async function composeMove(payload: unknown, frame: Frame): Promise<Composed> {
  const { message: id, to } = read(moveSchema, payload)
  refuseControls('to', to)
  const mirrored = await findMessage(id, frame)
  if (mirrored.folder === to) throw new Fault('invalid', 'mailbox.payload', `the message is in ${to} already`)
  return composed(mirrored, frame, { ...identity(mirrored, frame), act: 'move', to }, {
    title: `Move to ${to}: ${titleOf(mirrored)}`,
    undo: `Afterwards: move it back from ${to} to ${mirrored.folder}; \`castellan draft undo\` does.`,
  })
}

/** Flags that are set on a message, or taken away. None deletes it. @throws Fault as `composeMove` */
export async function composeFlag(payload: unknown, frame: Frame): Promise<Composed> {
  const wanted = read(flagSchema, payload)
  const [add, remove] = [wanted.add, wanted.remove].map((list) => [...new Set(list.map(toFlag))].sort()) as [string[], string[]]
  if (add.length + remove.length === 0) throw new Fault('invalid', 'mailbox.payload', 'no flag is to be set or taken away')
  if (add.some((one) => remove.includes(one))) throw new Fault('invalid', 'mailbox.payload', 'a flag is to be set and taken away at once')
  const mirrored = await findMessage(wanted.message, frame)
  const said = [add.length > 0 && `set ${add.join(', ')}`, remove.length > 0 && `take away ${remove.join(', ')}`].filter(Boolean).join(', ')
  return composed(mirrored, frame, { ...identity(mirrored, frame), act: 'flag', add, remove }, {
    title: `${said[0]!.toUpperCase()}${said.slice(1)}: ${titleOf(mirrored)}`,
    undo: `Afterwards: ${[remove.length > 0 && `set ${remove.join(', ')}`, add.length > 0 && `take away ${add.join(', ')}`].filter(Boolean).join(', ')} again, as far as that was so before; \`castellan draft undo\` does.`,
  })
}

/** Reads the bytes of such an act. What is not the canonical form of what it says is refused. @throws Fault `mailbox.wire` */
export function readMailboxAct(wire: Uint8Array): MailboxAct {
  const text = Buffer.from(wire).toString('utf8')
  try {
    const act = actSchema.parse(JSON.parse(text))
    if (canonicalize(act) === text) return act
  } catch (error) {
    throw new Fault('refused', 'mailbox.wire', 'these bytes are not an act in a mailbox that Castellan writes', {}, error)
  }
  throw new Fault('refused', 'mailbox.wire', 'these bytes are not in canonical form (RFC 8785)')
}

/** What the act is, in words. */
export function textOfMailboxAct(act: MailboxAct): string {
  const { message: { account, folder, uidvalidity, uid, message_id, size }, shown: { from, subject } } = act
  return [
    act.act === 'move' ? `Move this message from ${folder} to ${act.to}.` : `Set: ${act.add.join(', ') || 'nothing'}. Take away: ${act.remove.join(', ') || 'nothing'}.`,
    '',
    `Mailbox: ${account}, folder ${folder}`,
    `From: ${from}`,
    `Subject: ${subject}`,
    `Message-ID: ${message_id ?? 'none'}`,
    `Number on the server: ${uid} (UIDVALIDITY ${uidvalidity}), ${size} bytes`,
    '',
  ].join('\n')
}

function read<T>(schema: z.ZodType<T>, payload: unknown): T {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  throw new Fault('invalid', 'mailbox.payload', `the proposed act in a mailbox does not have the form of one: ${z.prettifyError(parsed.error)}`)
}

/** `seen` as the server writes it; a keyword as it is. */
export function toFlag(word: string): string {
  return words.some((known) => known === word) ? `\\${word[0]!.toUpperCase()}${word.slice(1)}` : word
}

async function findMessage(id: string, { messageOf, from }: Frame): Promise<MirroredMessage> {
  const found = await messageOf?.(id)
  if (!found) throw new Fault('invalid', 'mailbox.message', `there is no message ${id} in the mirror`)
  if (found.account !== from) throw new Fault('invalid', 'mailbox.message', `the message ${id} is in the mailbox ${found.account}, and this connector works in ${from}`)
  return found
}

function identity({ account, folder, uid, messageId, sha256, size, from, subject }: MirroredMessage, { id }: Frame) {
  const [uidvalidity, number, ...more] = uid.split('/')
  if (!/^\d+$/.test(uidvalidity ?? '') || !/^\d+$/.test(number ?? '') || more.length > 0) {
    throw new Fault('invalid', 'mailbox.message', `the message is known as ${uid}, which is not the number of one message on a mail server`)
  }
  return {
    version, draft: id, shown: { from: oneLine(from, 300), subject: oneLine(subject, 300) },
    message: { account, folder, uidvalidity: Number(uidvalidity), uid: Number(number), message_id: messageId, sha256, size },
  } as const
}

function composed(mirrored: MirroredMessage, { from }: Frame, act: MailboxAct, { title, undo }: { title: string; undo: string }): Composed {
  const wire = Buffer.from(canonicalize(actSchema.parse(act))!)
  return { wire, from, recipients: { to: [], cc: [], bcc: [] }, title, text: textOfMailboxAct(act), attachments: [], undo, label: join(mirrored.label) }
}

function titleOf({ subject, messageId }: MirroredMessage): string {
  return oneLine(subject, 300) || messageId || 'a message without a subject'
}
