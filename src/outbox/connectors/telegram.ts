import { z } from 'zod'
import type { TelegramConnectorSettings } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { TelegramMessageAct } from '../acts/message-act.ts'
import { actOf } from '../compose/outbound.ts'
import { composeTelegramMessage } from '../compose/telegram-message.ts'
import { sha256 } from '../document.ts'
import { checkBytes } from './check-bytes.ts'
import type { Connector } from './connector.ts'
import type { Network } from './http/connection.ts'
import { exchange, type Answer, type HttpPatience } from './http/exchange.ts'
import { judgeStatus } from './http/judge-status.ts'
import { readAnswer, showSaid } from './http/read-answer.ts'

export interface TelegramOptions extends Pick<TelegramConnectorSettings, 'name' | 'chat' | 'api'> {
  /** The secret: its name, and its value when there is one. */
  readonly token: { readonly secret: string; readonly value: string | undefined }
  readonly network: Network
  readonly patience?: Partial<HttpPatience>
}

const longestAnswer = 64 * 1024
const usualApi = 'https://api.telegram.org'

/** As much of an answer of the Bot API as is looked at. */
const answerSchema = z.object({
  ok: z.boolean(),
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.int().positive().optional() }).optional(),
  result: z.object({ message_id: z.int().optional(), username: z.string().optional() }).optional(),
})

/** Sends messages into one chat, by a bot. Telegram tells no second message from the first, so that what broke off is asked. */
export function createTelegramConnector({ name, chat, api, token, network, patience }: TelegramOptions): Connector {
  const { host } = new URL(api)
  const bot = /^(\d{1,20}):/.exec(token.value ?? '')?.[1]
  const account = `chat ${chat} by ${bot === undefined ? 'a bot without a token' : `bot ${bot}`}${api === usualApi ? '' : ` at ${api}`}`

  async function call(method: string, body: Buffer | null, { signal, commit }: { signal: AbortSignal; commit: () => Promise<void> }): Promise<Answer> {
    const url = `${api}/bot${tokenOf(token)}/${method}`
    return exchange({ method: body === null ? 'GET' : 'POST', url, headers: body === null ? {} : { 'content-type': 'application/json' }, body }, { network, signal, commit, patience, reads: longestAnswer })
  }

  /** @throws Fault when it was not taken, or nobody knows */
  function read(answer: Answer, isQuestion = false): z.infer<typeof answerSchema> {
    const said = readAnswer(answerSchema, answer.body)
    const shown = said?.description === undefined ? undefined : showSaid(said.description, token.value)
    const seconds = said?.parameters?.retry_after
    const fault = judgeStatus(host, answer.status, answer.headers, { isQuestion, isIdempotent: false, said: shown, waitMs: seconds === undefined ? undefined : seconds * 1_000 })
    if (fault) throw fault
    if (said?.ok !== true) throw new Fault('unavailable', 'connector.unknown', `${host} answered ${answer.status} and not what the Bot API answers`)
    return said
  }

  return {
    name,
    kind: 'telegram',
    account,
    zone: 'internet',
    from: account,
    accepts: (kind) => kind === 'telegram.message',
    compose: async (_kind, payload, frame) => composeTelegramMessage(payload, frame, chat),
    async deliver(wire, document, signal, commit) {
      const act = actOf(wire, ['telegram.message'], account)
      if (act.chat !== chat) throw new Fault('refused', 'connector.not_sent', `the bytes are for the chat ${act.chat}, and this connector sends to ${chat}; nothing was sent`)
      checkBytes(wire, document)
      const { result } = read(await call('sendMessage', bodyOf(act), { signal, commit }))
      if (result?.message_id === undefined) throw new Fault('unavailable', 'connector.unknown', `${host} said that it took the message, and did not name it`)
      return { host, reply: '200', chat, message_id: result.message_id, sha256: sha256(act.text), length: act.text.length }
    },
    async reach(signal) {
      const { result } = read(await call('getMe', null, { signal, commit: async () => {} }), true)
      return `bot @${showSaid(result?.username ?? 'without a name', token.value)}`
    },
  }
}

function bodyOf({ chat, text, parse_mode: mode }: TelegramMessageAct): Buffer {
  return Buffer.from(JSON.stringify({ chat_id: chat.startsWith('@') ? chat : Number(chat), text, ...(mode !== null && { parse_mode: mode }), link_preview_options: { is_disabled: true } }))
}

function tokenOf({ secret, value }: TelegramOptions['token']): string {
  if (value !== undefined && /^\d{1,20}:[A-Za-z0-9_-]{20,100}$/.test(value)) return value
  throw new Fault('refused', 'connector.not_sent', `there is no secret ${secret}, or it is not the token of a bot; nothing was sent. Put what BotFather gave you into $CASTELLAN_HOME/secrets/${secret}`)
}
