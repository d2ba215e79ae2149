import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { testOutbox } from '../../test/support/outbox.ts'
import type { House } from '../house/index.ts'
import { releaseDrafts } from '../outbox/release-drafts.ts'
import { bareApp } from '../server/bare-app.ts'
import { clearanceRoutes } from './clearance-routes.ts'

const houseAt = (url: string) => ({
  settings: { models: { upstreams: [{ name: 'far', kind: 'openai', url, zone: 'cloud' }], routes: {} }, mail: { accounts: [] }, folders: [] },
  lanes: [{ name: 'client', worker: 'open', cloudClearance: 1, providers: ['far'] }], jobs: [], labelRules: [],
}) as unknown as House

interface Answer {
  readonly data: Record<string, unknown> & Record<string, unknown>[]
  readonly error: { readonly code: string; readonly message: string }
}

test('what is proposed is cleared when it was signed, listed with its state, and taken back once', async (t) => {
  const outbox = await testOutbox(t)
  const app = bareApp(pino({ level: 'silent' }))
  let house = houseAt('https://far.example/v1')
  let changes = 0
  clearanceRoutes(app, { outbox: outbox.deps, house: () => house, onChange: () => void (changes += 1) })
  const ask = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const answer = await app.inject({ method, url, ...(payload && { payload }) })
    return { status: answer.statusCode, ...answer.json<Answer>() }
  }
  const states = async () => (await ask('GET', '/clearances')).data.map(({ state }) => state)
  const wanted = { lane: 'client', upstream: 'far' }

  const { status, data } = await ask('POST', '/clearances', { ...wanted, expires_at: null })
  assert.deepEqual([status, changes], [201, 1])
  const early = await ask('POST', '/clearances/revoke', wanted)
  assert.deepEqual([early.status, early.error.code, early.error.message.includes(String(data['draft']))], [404, 'clearance.missing', true], 'the draft that is open is named')
  await outbox.approve(String(data['draft']))
  outbox.clock.advance(outbox.settings.holdMs)
  await releaseDrafts(outbox.deps)

  assert.deepEqual(await states(), ['good'])
  const { pool } = outbox.database.as('castellan_releaser')
  await pool.query(`select outbox_fence(gen_random_uuid(), clock_timestamp(), 'the copy is old')`)
  assert.deepEqual([await states(), (await ask('GET', '/lanes')).data[0]?.['cleared']], [['fenced'], []], 'an older copy does not know what was taken back')
  await outbox.database.owner.pool.query('update releaser_state set fence_id = null, fenced_at = null, fence_reason = null')
  assert.deepEqual((await ask('GET', '/lanes')).data[0]?.['cleared'], [{ upstream: 'far', expires_at: null }])
  house = houseAt('https://elsewhere.example/v1')
  assert.deepEqual([await states(), (await ask('GET', '/lanes')).data[0]?.['cleared']], [['elsewhere'], []])
  const again = await ask('POST', '/clearances', { ...wanted, expires_at: null })
  const revoked = await ask('POST', '/clearances/revoke', wanted)
  assert.deepEqual([revoked.status, revoked.data['drafts']], [200, [again.data['draft']]])
  assert.deepEqual(await states(), ['revoked'])
  assert.equal((await ask('POST', '/clearances', { lane: 'clients', upstream: 'far', expires_at: null })).error.code, 'lane.missing')
  assert.equal((await ask('POST', '/clearances', { lane: 'client', upstream: 'far', expires_at: 'soon' })).status, 400)
})
