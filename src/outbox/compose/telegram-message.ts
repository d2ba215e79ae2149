import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { cutText } from '../acts/cut-text.ts'
import type { Composed, Frame } from './composed.ts'
import { composeOutbound, readPayload } from './outbound.ts'
import { readBody } from './text.ts'

/** In UTF-16 units, as the Bot API counts them. */
const longest = 4_096
const payloadSchema = z.strictObject({ text: z.string(), parseMode: z.enum(['MarkdownV2', 'HTML']).nullish() })

/** A message into the one declared chat. @throws Fault `draft.payload`, `draft.body`, `mail.control` */
export function composeTelegramMessage(payload: unknown, frame: Frame, chat: string): Composed {
  const read = readPayload(payloadSchema, payload, 'message')
  const text = readBody('text', read.text)
  if (text.trim() === '') throw new Fault('invalid', 'draft.body', 'the message has no text')
  if (text.length > longest) throw new Fault('invalid', 'draft.body', `the message has ${text.length} characters, and Telegram takes ${longest}: propose several`)
  const first = cutText(text.trim().split('\n')[0]!, 80)
  return composeOutbound({ kind: 'telegram.message', chat, text, parse_mode: read.parseMode ?? null }, frame, {
    title: `Telegram to ${chat}: ${first}`, to: [`Telegram chat ${chat}`],
    undo: 'Afterwards the message can be deleted for everybody within 48 hours, by the number that the receipt names; who has read it has read it.',
  })
}
