import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { stubHouse } from '../../../test/support/cli.ts'

const now = new Date('2026-03-02T09:05:00.000Z')
const made = { id: '1', name: 'notes', gate: 'local', lane: 'private', max_level: 2, models: [], made_at: '2026-03-02T09:00:00.000Z', expires_at: null, revoked_at: null, last_used_on: '2026-03-01' }
const key = `ck_${'ab'.repeat(32)}`

test('a key is asked for with what it is good for, and shown once', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: { 'POST /client-keys': { data: { ...made, key } }, 'GET /client-keys': { data: [made] } } })
  const { exit, stdout } = await run(['key', 'create', 'notes', '--models', 'near/*, far/x', '--expires', '90d'])
  assert.equal(exit, 0)
  assert.ok(stdout.includes(`  ${key}\n`) && stdout.includes('up to P2 internal'), stdout)
  assert.deepEqual(asked[0]!.body, { name: 'notes', gate: 'local', lane: 'private', max_level: 2, models: ['near/*', 'far/x'], lasts: 90 * 86_400_000 })
  await run(['key', 'create', 'notes', '--gate', 'cloud'])
  assert.deepEqual(asked[1]!.body, { name: 'notes', gate: 'cloud', lane: 'open', max_level: 1, models: [], lasts: null })
  const listed = await run(['key', 'list'], { now })
  assert.ok(listed.stdout.includes('notes') && listed.stdout.includes('good') && !listed.stdout.includes('ck_'), listed.stdout)
})

test('a key is shown with its state and the day of its last use, and one that is not there with the way to the list', async (t) => {
  const revoked = { ...made, name: 'old', revoked_at: '2026-03-01T09:00:00.000Z', last_used_on: null }
  const { run } = await stubHouse(t, { releaser: { 'GET /client-keys': { data: [made, { ...made, name: 'over', expires_at: '2026-03-02T09:04:59.000Z' }, revoked] } } })
  assert.match((await run(['key', 'show', 'notes'], { now })).stdout, /state +good\n[^]*up to +P2 internal\n[^]*good until +you revoke it\n[^]*last used +2026-03-01/)
  assert.equal((await run(['key', 'show', 'over', '--json'], { now })).json<{ state: string }>().data.state, 'expired')
  assert.match((await run(['key', 'show', 'old'], { now })).stdout, /state +revoked\n[^]*revoked +\S[^]*last used +not in the calls that are kept/)
  const missing = await run(['key', 'show', 'nothing'], { now })
  assert.deepEqual([missing.exit, /castellan key list/.test(missing.stderr)], [1, true])
})

test('what cannot be meant is a question of usage, and a dry run makes nothing', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: {} })
  assert.equal((await run(['key', 'create', 'notes', '--gate', 'moon'])).exit, 2)
  assert.equal((await run(['key', 'create', 'notes', '--max-label', 'P7'])).exit, 2)
  assert.match((await run(['key', 'create', 'notes', '--dry-run'])).stdout, /would make key notes/)
  assert.match((await run(['connect', 'codex', '--dry-run', '--home', 'x'])).stderr, /not running/)
  assert.deepEqual(asked, [])
})

test('the settings for a client name the gate, a new key under a free name, and nothing else of the house', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: { 'POST /client-keys': { data: { ...made, name: 'codex-2', key } }, 'GET /client-keys': { data: [{ ...made, name: 'codex' }] } } }, { ports: { gateLocal: 7402, gateCloud: 7403 } })
  const { exit, stdout, stderr } = await run(['connect', 'codex'])
  assert.equal(exit, 0)
  assert.ok(stdout.includes('base_url = "http://127.0.0.1:7402/v1"') && stdout.includes('wire_api = "responses"') && stdout.includes(`export CASTELLAN_KEY=${key}`), stdout)
  assert.match(stderr, /castellan key revoke codex-2/)
  assert.equal((asked.at(-1)!.body as { name: string }).name, 'codex-2')
  const own = await run(['connect', 'openai-sdk', '--gate', 'cloud', '--key', 'ck_mine', '--json'])
  const { settings } = own.json<{ settings: string }>().data
  const environment = Object.fromEntries(settings.split('\n').map((line) => line.replace('export ', '').split(/=(.*)/s).slice(0, 2)))
  const client = new OpenAI({ baseURL: environment['OPENAI_BASE_URL'], apiKey: environment['OPENAI_API_KEY'] })
  assert.deepEqual([client.baseURL, client.apiKey], ['http://127.0.0.1:7403/v1', 'ck_mine'])
})

test('without a client those that are known are listed, and an unknown one is told the way', async (t) => {
  const { run } = await stubHouse(t, { releaser: {} })
  assert.match((await run(['connect'])).stdout, /castellan connect open-webui +Open WebUI/)
  const { exit, stderr } = await run(['connect', 'telegraph'])
  assert.equal(exit, 1)
  assert.match(stderr, /connected as openai-sdk/)
  assert.match((await run(['connect', 'gemini'])).stderr, /known are .*gemini-cli/)
  assert.match((await run(['connect', 'constructor'])).stderr, /nothing is known of constructor/)
})
