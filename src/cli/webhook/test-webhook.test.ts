import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createHmac } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { stubHouse } from '../../../test/support/cli.ts'

const secret = 'a secret of the hub, long enough'
const hook = (kind: string, more: object = {}) => ({
  name: 'hub', kind, state: 'listening', problems: [], path: '/hooks/hub', secrets: ['gone', 'hub'], label: { level: 2, integrity: 'untrusted', lanes: ['private'], word: 'P2 internal' }, events: [], jobs: [],
  today: { stored: 0, replayed: 0, unwanted: 0, refused: 0, reasons: {} }, waiting: 0, last_at: null, ...more,
})

async function house(t: TestContext, kind: string, { status = 202, listening = true } = {}) {
  const came: { url: string; headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer(async (request, answer) => {
    came.push({ url: request.url!, headers: request.headers, body: Buffer.concat(await request.toArray()).toString() })
    answer.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const stub = await stubHouse(t, { server: { 'GET /api/webhooks': { data: { port: listening ? port : null, webhooks: [hook(kind)], unknown: 0 } } } })
  mkdirSync(join(stub.home, 'secrets'))
  writeFileSync(join(stub.home, 'secrets', 'hub'), `${secret}\n`, { mode: 0o600 })
  return { ...stub, came, secretFile: join(stub.home, 'secrets', 'hub') }
}

test('an event of a file is delivered as it is, signed with the secret that the operator can read', async (t) => {
  const { run, came, home } = await house(t, 'github')
  const file = join(home, 'event.json')
  writeFileSync(file, '{"ref": "main"}\n')
  const ran = await run(['webhook', 'test', 'hub', '--event', file, '--type', 'push', '--json'])
  assert.deepEqual([ran.exit, ran.json().data], [0, { state: 'accepted', status: 202, webhook: 'hub' }])
  const [{ url, headers, body }] = came as [(typeof came)[number]]
  assert.deepEqual([url, headers['x-github-event'], body], ['/hooks/hub', 'push', '{"ref": "main"}\n'])
  assert.equal(headers['x-hub-signature-256'], `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)
  assert.ok(!ran.stdout.includes(secret) && !ran.stderr.includes(secret))
})

test('two samples are two events', async (t) => {
  const { run, came } = await house(t, 'stripe')
  for (let n = 0; n < 2; n++) assert.equal((await run(['webhook', 'test', 'hub'])).exit, 0)
  const ids = came.map(({ body }) => (JSON.parse(body) as { id: string }).id)
  assert.equal(new Set(ids).size, 2)
})

test('a secret that is open to others, or not there, is not used: the command says what a sender would do', async (t) => {
  const { run, came, secretFile } = await house(t, 'github')
  chmodSync(secretFile, 0o644)
  const ran = await run(['webhook', 'test', 'hub', '--json'])
  assert.deepEqual([ran.exit, ran.json().error.code, ran.json().data['state'], came.length], [1, 'webhook.not_sent', 'not_sent', 0])
  assert.match(ran.json().data['curl'] as string, /^curl -X POST http:\/\/127\.0\.0\.1:\d+\/hooks\/hub .*sha256=HEX_HMAC_SHA256_OF_BODY' --data-binary @EVENT\.json$/)
})

test('a dry run delivers nothing and shows no secret', async (t) => {
  const { run, came } = await house(t, 'github')
  const ran = await run(['webhook', 'test', 'hub', '--dry-run'])
  assert.deepEqual([ran.exit, came.length, ran.stdout.includes(secret)], [0, 0, false])
  assert.match(ran.stdout, /x-hub-signature-256: sha256=HEX/)
})

test('a refusal, a house that listens to nothing, and a name that is not there are failures', async (t) => {
  const refusing = await house(t, 'github', { status: 404 })
  assert.deepEqual((await refusing.run(['webhook', 'test', 'hub', '--json'])).json().error.code, 'webhook.refused')
  const deaf = await house(t, 'github', { listening: false })
  assert.deepEqual((await deaf.run(['webhook', 'test', 'hub', '--json'])).json().error.code, 'webhook.not_sent')
  const missing = (await deaf.run(['webhook', 'test', 'hob', '--json'])).json()
  assert.deepEqual([missing.error.code, missing.error.message], ['webhook.missing', 'there is no webhook hob; there are: hub'])
})

test('a sale can be tried only with one that Gumroad knows', async (t) => {
  const { run } = await house(t, 'gumroad')
  assert.equal((await run(['webhook', 'test', 'hub', '--json'])).json().error.code, 'webhook.sale')
})
