import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stubHouse } from '../../../test/support/cli.ts'
import { readEnd } from './clearances.ts'

const now = new Date('2026-03-02T09:00:00.000Z')
const proposed = { 'POST /clearances': { data: { draft: '01a220f2-86b4-7e78-bcca-cd504e31c13f', risk: 8 } } }

test('an end is a day with all its hours, a moment, or a span from now; anything else is a question of usage', () => {
  assert.equal(readEnd('2027-03-31', now), '2027-04-01T00:00:00.000Z')
  assert.equal(readEnd('2027-03-31T12:00:00Z', now), '2027-03-31T12:00:00.000Z')
  assert.equal(readEnd('90d', now), '2026-05-31T09:00:00.000Z')
  assert.equal(readEnd(undefined, now), null)
  for (const wrong of ['soon', '2027-13-45', '']) assert.throws(() => readEnd(wrong, now), { code: 'usage' }, wrong)
})

test('what is to be cleared is proposed, and the answer says that nothing is cleared before it is signed', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: proposed })
  const { exit, stdout } = await run(['lane', 'clear', 'client', '--upstream', 'claude', '--level', 'P2', '--expires', '2027-03-31'], { now })
  assert.equal(exit, 0)
  assert.match(stdout, /waits for your signature\. Until then nothing is cleared\.[^]*castellan draft show/)
  await run(['model', 'own', 'box'], { now })
  assert.deepEqual(asked.map(({ body }) => body), [{ lane: 'client', upstream: 'claude', expires_at: '2027-04-01T00:00:00.000Z' }, { upstream: 'box', expires_at: null }])
})

test('only P2 is cleared by that command, and a dry run proposes nothing', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: proposed })
  for (const [level, words] of [['P3', /castellan model own/], ['P1', /castellan\.yaml/], ['P4', /not a level/]] as const) {
    const { exit, stderr } = await run(['lane', 'clear', 'client', '--upstream', 'claude', '--level', level])
    assert.deepEqual([exit, words.test(stderr)], [2, true], stderr)
  }
  await run(['lane', 'clear', 'client', '--upstream', 'claude', '--level', 'P2', '--dry-run'])
  await run(['lane', 'unclear', 'client', '--upstream', 'claude', '--dry-run'])
  assert.deepEqual(asked, [])
})

test('lanes are listed with what is cleared, and acts with their state', async (t) => {
  const act = { id: '1', lane: 'client', upstream: 'claude', url: 'https://api.example', level: 2, granted_at: '2026-03-01T09:00:00.000Z', expires_at: null, revoked_at: null, state: 'elsewhere' }
  const lane = { name: 'client', worker: 'open', cloud_clearance: 1, providers: ['claude'], redacts: false, cleared: [{ upstream: 'claude', expires_at: '2027-01-01T00:00:00.000Z' }] }
  const { run } = await stubHouse(t, { releaser: { 'GET /lanes': { data: [lane] }, 'GET /clearances': { data: [act, { ...act, lane: null, level: 3, state: 'good' }] } } })
  assert.match((await run(['lane', 'list'], { now })).stdout, /client +open +up to P1 low +claude until 2027-01-01 +claude +no/)
  assert.match((await run(['lane', 'clearances'], { now })).stdout, /lane client +claude +https:\/\/api\.example +P2 internal +elsewhere[^]*a machine of your own +claude[^]*P3 local only +good/)
})
