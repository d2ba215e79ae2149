import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { openConnector } from '../src/outbox/connectors/connectors.ts'
import { findFence } from '../src/outbox/fence/fence.ts'
import { standingOrder } from './support/orders.ts'
import { testOutbox } from './support/outbox.ts'
import { releaserLife, type ReleaserTask } from './support/releaser-child.ts'
import { botToken, startTelegramApi } from './support/telegram-api.ts'

/** How often the message has left when the next releaser has looked, and how its draft stands. */
const points: Record<string, readonly [sent: number, state: string]> = {
  'draft.freeze:before': [1, 'released'], 'draft.freeze:after': [1, 'released'], 'draft.releasing:before': [1, 'released'], 'draft.releasing:after': [1, 'released'],
  'nonce.spend:before': [1, 'released'], 'nonce.spend:after': [0, 'unknown'], 'http.sent:after': [1, 'unknown'], 'draft.released:before': [1, 'unknown'],
}

for (const [point, [sent, state]] of Object.entries(points)) {
  test(`a releaser that is killed at ${point} while an order approves uses it once, and sends once or asks`, async (t) => {
    const api = await startTelegramApi(t, 4711)
    const connector = { name: 'me', kind: 'telegram', chat: '4711', token: { secret: 'bot' }, api: api.url, private: true } as const
    const declared = { connector, secrets: { bot: botToken } }
    const outbox = await testOutbox(t, {
      connectors: () => [openConnector(connector, { secrets: declared.secrets, folder: '/nowhere', entranceOf: () => { throw new Error('there is no mailbox') } })], settings: { connectors: [connector] },
    })
    await standingOrder(outbox, { name: 'to-me', kind: 'telegram.message', connector: 'me', per_day: 1, expires_at: null })
    await outbox.propose({ text: 'once' }, { kind: 'telegram.message', connector: 'me' })
    await outbox.deps.spent.close()
    const task: ReleaserTask = {
      connection: outbox.database.connection('castellan_releaser'), folder: outbox.folder, outgoing: outbox.outgoing, settings: outbox.settings, declared,
      key: { id: outbox.key.id, pem: outbox.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }, now: outbox.clock.now().toISOString(), faultPoints: `${point}=1`,
    }
    const child = spawn(process.execPath, [join(import.meta.dirname, 'support', 'releaser-child.ts'), JSON.stringify(task)], { stdio: 'ignore' })
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
    assert.equal(signal, 'SIGKILL', `it was killed at ${point}`)
    outbox.clock.advance(60_000)
    const deps = await outbox.reopenSpent()
    await releaserLife(deps, outbox.clock, outbox.key)
    const { pool } = outbox.database.owner
    assert.equal(api.received.length, sent)
    assert.deepEqual((await pool.query(`select state from draft where kind = 'telegram.message'`)).rows, [{ state }])
    assert.deepEqual((await pool.query('select n, key_id from order_use u join decision c on c.draft_id = u.draft_id')).rows, [{ n: 1, key_id: null }])
    assert.equal(await findFence(pool), undefined, 'a crash is no older database')
    assert.equal((await outbox.freeze({ text: 'more' }, { kind: 'telegram.message', connector: 'me' })).state, 'waiting')
  })
}
