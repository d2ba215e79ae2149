import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stubHouse, type StubAnswer } from '../../../test/support/cli.ts'

const at = '2026-03-02T09:00:00.000Z'
const now = new Date('2026-03-02T09:05:00.000Z')
const id = '019514a0-0000-7000-8000-000000000001'
const issued = { id, code: 'ABCD-EFGH-JKMN-PQRS', link: 'https://castellan.example.ts.net/#enrol=ABCD-EFGH-JKMN-PQRS', expires_at: '2026-03-02T09:15:00.000Z', sign_origin: 'https://castellan.example.ts.net', rp_id: 'castellan.example.ts.net' }
const none = { scope: 'operator', enrolled_at: at, last_used_at: null, revoked_at: null, until: null, passkey: null, rp_id: null }
const passkey = { ...none, id: 'passkey:0123456789abcdef', kind: 'passkey', name: 'phone', last_used_at: at, rp_id: 'localhost' }
const session = { ...none, id: 'session:0123456789abcdef', kind: 'session', name: 'phone', until: '2026-03-02T09:04:00.000Z', passkey: passkey.id }

test('a code is printed with its link, and without a terminal nobody waits', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: { 'POST /enrolments': { data: issued } } })
  const { exit, stdout } = await run(['operator', 'enroll', '--passkey', '--name', 'phone'], { now })
  assert.equal(exit, 0)
  assert(stdout.includes(`  ${issued.link}\n`) && stdout.includes(`the code ${issued.code}`) && stdout.includes('in 10 min'), stdout)
  assert.deepEqual(asked.map(({ route, body }) => [route, body]), [['POST /enrolments', { name: 'phone' }]])
  const { json } = await run(['operator', 'enroll', '--passkey', '--json'], { now })
  assert.deepEqual(json().data, { ...issued, state: 'waiting' })
})

test('with --wait, and in a terminal without it, the link comes first and then who was enrolled', async (t) => {
  const states: StubAnswer[] = [{ data: { state: 'waiting' } }, { data: { state: 'used', key_id: passkey.id, name: 'phone' } }]
  let asked = 0
  const { run } = await stubHouse(t, { releaser: { 'POST /enrolments': { data: issued }, [`GET /enrolments/${id}`]: () => states[asked++ % 2]! } })
  for (const [argv, tty] of [[['--wait', '--json'], false], [[], true]] as const) {
    const { exit, stdout, stderr } = await run(['operator', 'enroll', '--passkey', ...argv], { now, tty })
    assert.equal(exit, 0)
    assert(stderr.includes(issued.link))
    assert(stdout.includes(passkey.id) && !stdout.includes(issued.code), stdout)
  }
})

test('a code that nobody used is a failure that says so', async (t) => {
  const { run } = await stubHouse(t, { releaser: { 'POST /enrolments': { data: issued }, [`GET /enrolments/${id}`]: { data: { state: 'over' } } } })
  const { exit, json } = await run(['operator', 'enroll', '--passkey', '--wait', '--json'], { now })
  assert.deepEqual([exit, json().error.code], [6, 'enrol.over'])
  assert.equal((await run(['operator', 'enroll', '--name', 'x'])).exit, 2)
})

test('keys are listed with what they are, when they were enrolled and used last, and whether they count', async (t) => {
  const { run } = await stubHouse(t, { releaser: { 'GET /keys': { data: [passkey, session, { ...none, id: 'ed25519:a', kind: 'ed25519', name: 'laptop', revoked_at: at }] } } })
  const { stdout } = await run(['operator', 'list'], { now })
  assert.match(stdout, /phone +passkey:0123456789abcdef +passkey for localhost +enrolled +10:00 +10:00/)
  assert.match(stdout, /phone +session:0123456789abcdef +session of passkey:0123456789abcdef until 10:04 +over +10:00 +–/)
  assert.match(stdout, /laptop +ed25519:a +key of the terminal, elsewhere +revoked 10:00/)
  const { json } = await run(['operator', 'list', '--json'], { now })
  assert.deepEqual((json().data as unknown as { state: string }[]).map(({ state }) => state), ['enrolled', 'over', 'revoked'])
})

test('a key is revoked by its id, or by a name that means one key', async (t) => {
  const two = { ...passkey, id: 'passkey:fedcba9876543210' }
  const { run, asked } = await stubHouse(t, { releaser: { 'GET /keys': { data: [passkey, session] }, [`POST /keys/${passkey.id}/revoke`]: { data: passkey } } })
  assert.equal((await run(['operator', 'revoke', 'phone', '--yes'])).exit, 0)
  assert(asked.some(({ route }) => route === `POST /keys/${passkey.id}/revoke`))
  assert.equal((await run(['operator', 'revoke', 'nobody', '--yes', '--json'])).json().error.code, 'key.missing')
  const both = await stubHouse(t, { releaser: { 'GET /keys': { data: [passkey, two] } } })
  assert.equal((await both.run(['operator', 'revoke', 'phone', '--yes', '--json'])).json().error.code, 'key.which')
})
