import type { ActFrame } from './outbound-act.ts'

/** A message by a bot of Telegram. */
export interface TelegramMessageAct extends ActFrame {
  readonly kind: 'telegram.message'
  /** A number, or the @name of a channel. */
  readonly chat: string
  readonly text: string
  /** How Telegram reads the text; null: as it stands. */
  readonly parse_mode: string | null
}

export const telegramMessageShape = { chat: 'string', text: 'string', parse_mode: 'text or null' } as const

export function wordsOfTelegramMessage({ chat, text, parse_mode: mode }: TelegramMessageAct): string {
  return [
    `Send this message to the chat ${chat} in Telegram.`,
    mode === null ? 'The text is shown as it stands.' : `Telegram reads the text as ${mode}: marks in it become links and emphasis.`,
    'Links get no preview.',
    '',
    text,
    '',
  ].join('\n')
}
