import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stubHouse } from '../../test/support/cli.ts'

const now = new Date('2026-03-02T09:00:00.000Z')
const proposed = { 'POST /orders': { data: { draft: '01a220f2-86b4-7e78-bcca-cd504e31c13f', risk: 8 } } }
const propose = ['order', 'propose', 'news', '--kind', 'mail.move', '--connector', 'mailbox', '--per-day', '50']

test('an order is proposed with exactly what was said, and the answer says that a passkey signs it', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: proposed })
  const { exit, stdout } = await run([...propose, '--senders', 'a@x.example', 'b@x.example', '--from', 'INBOX', '--to', 'News', '--expires', '90d', '--level', 'P1'], { now })
  assert.equal(exit, 0)
  assert.match(stdout, /waits for your passkey, on the signing page\. Until then nothing leaves by it/)
  assert.deepEqual(asked.map(({ body }) => body), [{
    name: 'news', kind: 'mail.move', connector: 'mailbox', per_day: 50, expires_at: '2026-05-31T09:00:00.000Z', level: 1, from: 'INBOX', to: 'News', senders: ['a@x.example', 'b@x.example'],
  }])
})

test('a dry run proposes and takes back nothing; another kind is a question of usage', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: proposed })
  await run([...propose, '--dry-run'])
  await run(['order', 'revoke', 'news', '--dry-run'])
  assert.equal((await run(['order', 'propose', 'all', '--kind', 'mail', '--connector', 'smtp', '--per-day', '5'])).exit, 2)
  assert.deepEqual(asked, [])
})

test('an order that does not count says why in the list', async (t) => {
  const order = { id: '1', name: 'news', state: 'void', problem: 'its passkey was revoked', kind: 'mail.move', connector: 'mailbox', per_day: 50, used_today: 3, used: 9, granted_at: '2026-03-01T09:00:00.000Z', expires_at: null, text: 'words' }
  const { run } = await stubHouse(t, { releaser: { 'GET /orders': { data: [order] } } })
  assert.match((await run(['order', 'list'], { now })).stdout, /news +void: its passkey was revoked +mail\.move +mailbox +3 of 50/)
  assert.equal((await run(['order', 'show', 'nothing'], { now })).exit, 1)
})
