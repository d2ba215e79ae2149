import type { TestContext } from 'node:test'
import { startHttpReceiver, type HttpReceiver } from './http-receiver.ts'

export const botToken = '4711:test-token-of-a-bot-0123456789'

/** The part of the Bot API that sends messages, on loopback: it numbers them, and refuses what Telegram refuses. */
export async function startTelegramApi(t: Pick<TestContext, 'after'>, member = -100123): Promise<HttpReceiver> {
  let count = 100
  return startHttpReceiver(t, {
    answer({ path, method, body }) {
      const refuse = (status: number, description: string) => ({ status, body: JSON.stringify({ ok: false, error_code: status, description }) })
      if (!path.startsWith(`/bot${botToken}/`)) return refuse(401, 'Unauthorized')
      if (path.endsWith('/getMe')) return { status: 200, body: JSON.stringify({ ok: true, result: { id: 4711, is_bot: true, username: 'house_bot' } }) }
      if (method !== 'POST' || !path.endsWith('/sendMessage')) return refuse(404, 'Not Found')
      const { chat_id: chat, text } = JSON.parse(body.toString()) as { chat_id: unknown; text: string }
      if (chat !== member) return refuse(400, 'Bad Request: chat not found')
      if (text.length > 4096) return refuse(400, 'Bad Request: message is too long')
      return { status: 200, body: JSON.stringify({ ok: true, result: { message_id: (count += 1), chat: { id: chat }, date: 1772442000, text } }) }
    },
  })
}
