import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { signByPasskey } from '../../test/support/orders.ts'
import { testOutbox } from '../../test/support/outbox.ts'
import { botToken } from '../../test/support/telegram-api.ts'
import { openConnector } from '../outbox/connectors/connectors.ts'
import { releaseDrafts } from '../outbox/release-drafts.ts'
import { bareApp } from '../server/bare-app.ts'
import { orderRoutes } from './order-routes.ts'

interface Answer {
  readonly data: Record<string, unknown> & Record<string, unknown>[]
  readonly error: { readonly code: string; readonly message: string }
}

test('an order is proposed, stands when it was signed, is listed with what is used of it, and is taken back once', async (t) => {
  const settings = { name: 'me', kind: 'telegram', chat: '4711', token: { secret: 'bot' }, api: 'https://api.telegram.org', private: false } as const
  const outbox = await testOutbox(t, { connectors: () => [openConnector(settings, { secrets: { bot: botToken }, folder: '/', entranceOf: () => { throw new Error('none') } })], settings: { connectors: [settings] } })
  const app = bareApp(pino({ level: 'silent' }))
  let changes = 0
  orderRoutes(app, { outbox: outbox.deps, onChange: () => void (changes += 1) })
  const ask = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const answer = await app.inject({ method, url, ...(payload && { payload }) })
    return { status: answer.statusCode, ...answer.json<Answer>() }
  }
  const shown = async () => (await ask('GET', '/orders')).data.map(({ name, state, used_today: today, used }) => [name, state, today, used])
  const wanted = { name: 'to-me', kind: 'telegram.message', connector: 'me', per_day: 3, expires_at: '2026-03-05T00:00:00.000Z' }

  const { status, data } = await ask('POST', '/orders', wanted)
  assert.deepEqual([status, changes, await shown()], [201, 1, []])
  const wrong = await ask('POST', '/orders', { ...wanted, per_day: 0 })
  assert.deepEqual([wrong.status, wrong.error.code, /per_day/.test(wrong.error.message)], [403, 'draft.refused', true])
  await signByPasskey(outbox, String(data['draft']))
  await releaseDrafts(outbox.deps)
  await outbox.freeze({ text: 'one' }, { kind: 'telegram.message', connector: 'me' })
  assert.deepEqual(await shown(), [['to-me', 'good', 1, 1]])
  outbox.clock.advance(86_400_000)
  assert.deepEqual(await shown(), [['to-me', 'good', 0, 1]])
  outbox.clock.advance(3 * 86_400_000)
  assert.deepEqual(await shown(), [['to-me', 'expired', 0, 1]])
  assert.equal((await ask('POST', '/orders/revoke', { name: 'to-me' })).status, 200)
  assert.deepEqual(await shown(), [['to-me', 'revoked', 0, 1]])
  assert.deepEqual([(await ask('POST', '/orders/revoke', { name: 'to-me' })).error.code, (await ask('POST', '/orders/revoke', {})).status], ['order.missing', 400])
})

test('what the file of spent nonces knows to be taken back is void, though the database forgot it, and can be taken back there too', async (t) => {
  const settings = { name: 'me', kind: 'telegram', chat: '4711', token: { secret: 'bot' }, api: 'https://api.telegram.org', private: false } as const
  const outbox = await testOutbox(t, { connectors: () => [openConnector(settings, { secrets: { bot: botToken }, folder: '/', entranceOf: () => { throw new Error('none') } })], settings: { connectors: [settings] } })
  const app = bareApp(pino({ level: 'silent' }))
  orderRoutes(app, { outbox: outbox.deps, onChange: () => {} })
  const draft = (await app.inject({ method: 'POST', url: '/orders', payload: { name: 'to-me', kind: 'telegram.message', connector: 'me', per_day: 3, expires_at: null } })).json<Answer>().data['draft'] as string
  await signByPasskey(outbox, draft)
  await releaseDrafts(outbox.deps)
  // the releaser stopped between the file and the database
  const { nonce, document } = await outbox.draft(draft)
  await outbox.deps.spent.spend({ nonce, draft, item: JSON.parse(document).origin.item, act: 'revoked', at: outbox.clock.now().toISOString() })
  const [listed] = (await app.inject('/orders')).json<Answer>().data
  assert.deepEqual([listed!['state'], /was taken back on/.test(String(listed!['problem']))], ['void', true])
  assert.equal((await app.inject({ method: 'POST', url: '/orders/revoke', payload: { name: 'to-me' } })).statusCode, 200)
  assert.equal((await app.inject('/orders')).json<Answer>().data[0]!['state'], 'revoked')
})
