import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { composedBy, failedDelivery } from '../../../test/support/attempt-delivery.ts'
import type { HttpMisbehaviour } from '../../../test/support/http-receiver.ts'
import { testOutbox } from '../../../test/support/outbox.ts'
import { botToken, startTelegramApi } from '../../../test/support/telegram-api.ts'
import { readOutboundAct, wordsOfAct } from '../acts/outbound-act.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { connectorContract, documentFor } from './connector.contract.ts'
import { createConnectors } from './connectors.ts'
import { createTelegramConnector, type TelegramOptions } from './telegram.ts'

const message = { text: 'Guten Morgen\nDer *Bericht* ist da.', parseMode: 'MarkdownV2' }
const sentBody = '{"chat_id":-100123,"text":"Guten Morgen\\nDer *Bericht* ist da.","parse_mode":"MarkdownV2","link_preview_options":{"is_disabled":true}}'
const { signal } = new AbortController()
const commit = async () => {}

function connectorTo(api: string, options: Partial<TelegramOptions> = {}) {
  return createTelegramConnector({ name: 'chat', chat: '-100123', api, token: { secret: 'bot', value: botToken }, network: { isPrivate: true }, patience: { connect: 2_000, answer: 300 }, ...options })
}

async function opened(t: TestContext, options: Partial<TelegramOptions> = {}) {
  const server = await startTelegramApi(t)
  const connector = connectorTo(server.url, options)
  return { server, connector, wire: await composedBy(connector, 'telegram.message', message) }
}

connectorContract('telegram', async (t) => {
  const { server, connector, wire } = await opened(t, { patience: { answer: 10_000 } })
  return { connector, act: { kind: 'telegram.message', wire, arrives: Buffer.from(sentBody) }, arrived: async () => server.received.map(({ body }) => body) }
})

test('a message has the text and the mode that were signed, and its receipt is its number', async (t) => {
  const { server, connector, wire } = await opened(t)
  const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.deepEqual([server.received[0]!.path, server.received[0]!.body.toString()], [`/bot${botToken}/sendMessage`, sentBody])
  assert.deepEqual([receipt['message_id'], receipt['chat'], connector.account], [101, '-100123', `chat -100123 by bot 4711 at ${server.url}`])
  const words = wordsOfAct(readOutboundAct(wire)!)
  assert.match(words, /^Send this message to the chat -100123 in Telegram\.\nTelegram reads the text as MarkdownV2.*\nLinks get no preview\.\n\nGuten Morgen\nDer \*Bericht\*/)
  assert.equal(await connector.reach!(signal), 'bot @house_bot')
})

test('what Telegram refuses is not sent, a flood is waited out, and what broke off is open; the token is never said', async (t) => {
  const { server, connector, wire } = await opened(t)
  const flood = JSON.stringify({ ok: false, error_code: 429, description: 'Too Many Requests: retry after 35', parameters: { retry_after: 35 } })
  const ways: [HttpMisbehaviour, string, RegExp][] = [
    [{ status: 403, body: JSON.stringify({ ok: false, description: `Forbidden: bot${botToken} was\u202ekicked` }) }, 'connector.not_sent', /answered 403: Forbidden: bot… was kicked$/],
    [{ status: 429, body: flood }, 'connector.try_again', /answered 429: Too Many Requests/],
    [{ status: 502, body: '<html>' }, 'connector.unknown', /answered 502/], ['cut', 'connector.unknown', /may have taken it/], ['stall', 'connector.unknown', /no answer came in time/],
    ['half', 'connector.unknown', /not what the Bot API answers/], [{ status: 200, body: '{"ok":true,"result":{}}' }, 'connector.unknown', /did not name it/],
    [{ status: 200, body: 'x'.repeat(100_000) }, 'connector.unknown', /not what the Bot API answers/], [{ twice: [400, 200] }, 'connector.not_sent', /answered 400/],
  ]
  for (const [how, code, said] of ways) {
    server.misbehave(how)
    const outcome = await failedDelivery(connector, wire)
    assert.deepEqual([outcome.code, outcome.spent], [code, 1], JSON.stringify(how))
    assert.match(outcome.message, said)
    assert(!outcome.message.includes(botToken) && !/Forbidden|Too Many/.test(outcome.brief))
    if (code === 'connector.try_again') assert.equal(outcome.retryAfterMs, 35_000)
  }
})

test('a text that is too long, empty, or hides something is refused when it is frozen', async (t) => {
  const { connector } = await opened(t)
  await composedBy(connector, 'telegram.message', { text: 'x'.repeat(4_096) })
  for (const payload of [{ text: 'x'.repeat(4_097) }, { text: ' \n' }, { text: 'a\u202eb' }, { text: 'a\0' }, { text: 'x', parseMode: 'Markdown' }, { text: 'x', chat: '7' }]) {
    await assert.rejects(composedBy(connector, 'telegram.message', payload), { kind: 'invalid' })
  }
})

test('without a token, or for another chat, nothing is said', async (t) => {
  const { server, wire } = await opened(t)
  for (const options of [{ token: { secret: 'bot', value: undefined } }, { token: { secret: 'bot', value: 'x/../y' } }, { chat: '-100124' }]) {
    assert.deepEqual((({ code, spent }) => [code, spent])(await failedDelivery(connectorTo(server.url, options), wire)), ['connector.not_sent', 0])
  }
  assert.equal(server.connections, 0)
})

test('after a flood the draft is held as long as Telegram asks, and leaves then; another chat in the configuration voids it', async (t) => {
  const server = await startTelegramApi(t)
  const connector = connectorTo(server.url)
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  const options = { kind: 'telegram.message', connector: 'chat' }
  const draft = await outbox.readyToRelease({ text: 'Hallo' }, options)
  assert.match(JSON.parse(draft.document).rollback as string, /can be deleted for everybody within 48 hours/)
  server.misbehave({ status: 429, body: '{"ok":false,"parameters":{"retry_after":90}}' })
  await releaseDrafts(outbox.deps)
  assert.deepEqual((await outbox.draft(draft.id)).holdUntil, new Date(outbox.clock.now().getTime() + 90_000))
  outbox.clock.advance(90_000)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  const second = await outbox.readyToRelease({ text: 'Hallo' }, options)
  const deps = { ...outbox.deps, connectors: () => createConnectors([connectorTo(server.url, { chat: '-100999' })], { demonstration: false, accepted: false }) }
  await releaseDrafts(deps)
  assert.match((await outbox.draft(second.id)).reason!, /leads elsewhere now/)
})
