import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { createAuthenticator } from '../../test/support/authenticator.ts'
import { aMail, testOutbox, type TestOutbox } from '../../test/support/outbox.ts'
import type { House } from '../house/index.ts'
import { createIdentity, type OperatorIdentity } from '../outbox/operator-identity.ts'
import type { Boot, Host, Started } from './boot.ts'
import { startLoop } from './loop.ts'
import { openSealingKey } from './sealing-key.ts'
import { start } from './releaser.ts'

interface Running {
  readonly outbox: TestOutbox
  readonly boot: Boot
  readonly woken: string[]
  wake(): void
  changeHouse(change: (house: House) => House): void
  // what the socket answers is looked at field by field
  // eslint-disable-next-line typescript/no-explicit-any
  call<T = any>(method: 'GET' | 'POST', path: string, body?: object): Promise<T>
  start(): Promise<Started>
  identity: OperatorIdentity
}

/** The releaser as `up` starts it, on a database and folders of its own, in this process. */
async function releaser(t: TestContext): Promise<Running> {
  const started: Started[] = []
  // first, so that it comes before the database goes
  t.after(() => Promise.all(started.map((one) => one.stop(1_000))))
  const outbox = await testOutbox(t)
  await outbox.deps.spent.close()
  const home = mkdtempSync(join(tmpdir(), 'castellan-releaser-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const [folder, doors, mailbox, outgoing] = ['releaser', 'doors', 'mailbox', 'outgoing'].map((name) => join(home, name)) as [string, string, string, string]
  for (const path of [folder, doors, mailbox]) mkdirSync(path, { mode: 0o700 })
  const socket = join(doors, 'socket')
  const boot = {
    process: 'releaser', instance: 'releaser@test', database: outbox.database.connection('castellan_releaser'), home, folder,
    sockets: { server: '', releaser: socket, gateLocal: '', gateCloud: '' }, secrets: {}, isolation: { mode: 'demonstration', detail: '' },
    house: {
      folder: home,
      settings: {
        name: 'Test house', ports: { releaser: 0 }, signing: { origin: null, rpId: null },
        isolation: { acceptDemonstration: false },
        mail: { accounts: [{ name: 'sample', kind: 'folder', path: mailbox, label: { level: 2, integrity: 'untrusted', lanes: ['private'] } }] },
        outbox: { ...outbox.settings, holdMs: 1, connectors: [{ name: 'file', kind: 'file', path: outgoing, from: 'haus@example.org' }] },
      },
    },
  } as unknown as Boot
  const wakes = new Set<() => void>()
  const houses = new Set<(house: House) => void>()
  const woken: string[] = []
  const host: Host = {
    ready: () => {}, wake: (name) => void woken.push(name), onWake: (listener) => void wakes.add(listener), onHouse: (listener) => void houses.add(listener), request: async () => ({}),
  }
  const dispatcher = new Agent({ connect: { socketPath: socket } })
  t.after(() => dispatcher.close())
  const running: Running = {
    outbox, boot, woken,
    identity: await createIdentity(join(home, 'operator'), { name: 'demonstration', scope: 'demonstration' }),
    wake: () => wakes.forEach((listener) => listener()),
    changeHouse: (change) => houses.forEach((listener) => listener(change(boot.house))),
    async call(method, path, body) {
      const response = await request(`http://releaser${path}`, { dispatcher, method, ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) })
      const envelope = (await response.body.json()) as { ok: boolean; data: never; error?: { code: string } }
      if (!envelope.ok) throw Object.assign(new Error(envelope.error!.code), { status: response.statusCode })
      return envelope.data
    },
    async start() {
      const one = await start(boot, host)
      started.push(one)
      return one
    },
  }
  return running
}

/** Asks again until the answer is there; the releaser does its work on its own time. */
async function eventually<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await turn()) {
    const answer = await ask()
    if (answer) return answer
  }
  throw new Error('it did not happen in time')
}

test('from proposal to receipt over its own socket, sealed, and stopped without a trace', async (t) => {
  const house = await releaser(t)
  const running = await house.start()
  const outgoing = join(house.boot.home, 'outgoing')
  await house.call('POST', '/keys/enroll', house.identity.enrolment())
  await house.outbox.propose()
  house.wake()
  const [draft] = await eventually(async () => {
    const drafts = await house.call<{ id: string }[]>('GET', '/drafts?state=waiting')
    return drafts.length > 0 && drafts
  })
  const shown = await house.call('GET', `/drafts/${draft!.id}`)
  await house.call('POST', `/drafts/${draft!.id}/decide`, { verdict: 'approve', keyId: house.identity.id, signature: house.identity.sign(Buffer.from(shown.challenge, 'hex')) })
  const released = await eventually(async () => {
    const now = await house.call('GET', `/drafts/${draft!.id}`)
    return now.state === 'released' && now
  })
  assert.deepEqual(readFileSync(join(outgoing, `${draft!.id}.eml`)).toString('base64'), shown.wire)
  assert.deepEqual(released.history.at(-1).receipt.sha256, shown.sha256)
  assert.deepEqual(house.woken, ['worker-private'])
  const { rows } = await house.outbox.database.owner.pool.query('select name, data from pgboss.job')
  assert.equal(rows.length, 1)
  assert.equal(rows[0].name, 'runs_private')

  const verified = await eventually(async () => {
    const found = await house.call('GET', '/audit/verify')
    return found.unsealed.count === 0 && found
  })
  assert.equal(verified.ok, true)
  assert(verified.sealed >= 5)
  const events = await house.call<{ kind: string }[]>('GET', `/audit/events?subject=${draft!.id}`)
  assert.deepEqual(events.map(({ kind }) => kind), ['draft.frozen', 'draft.decided', 'draft.releasing', 'draft.released'])
  assert.equal(statSync(house.boot.sockets.releaser).mode & 0o777, 0o600)
  for (const name of readdirSync(house.boot.folder)) assert.equal(statSync(join(house.boot.folder, name)).mode & 0o077, 0, name)

  await running.stop(1_000)
  assert(!existsSync(join(house.boot.folder, 'spent-nonces.jsonl.lock')))
  const again = await house.start()
  assert.equal((await house.call('GET', `/drafts/${draft!.id}`)).state, 'released')
  assert.equal((await house.call('GET', '/audit/verify')).ok, true)
  await again.stop(1_000)
})

test('a second releaser on the same database is refused, whatever folder it works in', async (t) => {
  const house = await releaser(t)
  await house.start()
  const elsewhere = mkdtempSync(join(tmpdir(), 'castellan-elsewhere-'))
  t.after(() => rmSync(elsewhere, { recursive: true, force: true }))
  const host = { ready() {}, wake() {}, onWake() {}, onHouse() {}, request: async () => ({}) }
  await assert.rejects(start({ ...house.boot, folder: elsewhere, sockets: { ...house.boot.sockets, releaser: join(elsewhere, 'socket') } }, host), { code: 'releaser.running' })
  assert.deepEqual(readdirSync(elsewhere).filter((name) => name.endsWith('.lock')), [])
})

test('a file of spent nonces that is damaged stops the start, and leaves nothing locked', async (t) => {
  const house = await releaser(t)
  writeFileSync(join(house.boot.folder, 'spent-nonces.jsonl'), 'nonsense\n')
  await assert.rejects(house.start(), { code: 'nonce.file' })
  rmSync(join(house.boot.folder, 'spent-nonces.jsonl'))
  await house.start()
})

test('mail of a declared folder is stored, and what cannot be is shown', async (t) => {
  const house = await releaser(t)
  const { path } = house.boot.house.settings.mail.accounts[0]!
  writeFileSync(join(path, 'a.eml'), 'From: x\r\n\r\ny')
  mkdirSync(join(path, 'b.eml'))
  const old = new Date('2026-03-01')
  for (const name of ['a.eml', '.']) utimesSync(join(path, name), old, old)
  await house.start()
  await eventually(async () => (await house.outbox.database.owner.pool.query('select 1 from mail_message')).rowCount === 1)
  const problems = await eventually(async () => {
    const found = await house.call<{ uid: string }[]>('GET', '/mailboxes/problems')
    return found.length > 0 && found
  })
  assert.deepEqual(problems.map(({ uid }) => uid), ['b.eml'])
})

test('a changed house counts for what is frozen and released from then on', async (t) => {
  const house = await releaser(t)
  await house.start()
  house.changeHouse((before) => ({ ...before, settings: { ...before.settings, outbox: { ...before.settings.outbox, connectors: [] } } }))
  const { proposal } = await house.outbox.propose(aMail)
  house.wake()
  const refused = await eventually(async () => (await house.outbox.database.owner.pool.query(`select refusal from proposal where id = $1 and state = 'refused'`, [proposal])).rows[0])
  assert.match(refused.refusal, /no connector "file"/)
})

test('a request that is none is answered in the envelope, and nothing of the inside is told', async (t) => {
  const house = await releaser(t)
  await house.start()
  await assert.rejects(house.call('GET', '/nowhere'), { message: 'route.missing', status: 404 })
  await assert.rejects(house.call('GET', '/drafts/x'), { message: 'request.invalid', status: 400 })
  await assert.rejects(house.call('GET', '/audit/events?limit=0'), { message: 'request.invalid', status: 400 })
  await house.outbox.database.owner.pool.query('alter table draft rename to hidden')
  await assert.rejects(house.call('GET', '/drafts'), { message: 'internal', status: 500 })
})

test('the socket is not opened in a folder that lets others in', async (t) => {
  const house = await releaser(t)
  chmodSync(join(house.boot.home, 'doors'), 0o755)
  await assert.rejects(house.start(), { code: 'socket.open' })
  chmodSync(join(house.boot.home, 'doors'), 0o700)
  await house.start()
})

test('the sealing key is made once, and only for its owner', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-seal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [first, second] = [await openSealingKey(folder), await openSealingKey(folder)]
  assert.equal(first.id, second.id)
  assert.equal(statSync(join(folder, 'sealing-key.pem')).mode & 0o777, 0o600)
})

test('a loop never does its work twice at a time, and does it again when it was woken meanwhile', async () => {
  let inside = 0
  let times = 0
  const gate = Promise.withResolvers<void>()
  const silent = { error() {} } as never
  const loop = startLoop('work', silent, async () => {
    inside += 1
    assert.equal(inside, 1)
    times += 1
    if (times === 1) await gate.promise
    inside -= 1
    return 1_000_000
  })
  loop.wake()
  loop.wake()
  gate.resolve()
  while (times < 2) await turn()
  await loop.stop()
  loop.wake()
  await turn()
  assert.equal(times, 2)
})

test('a loop that fails goes on later, and says so', async () => {
  const errors: unknown[] = []
  const happened = Promise.withResolvers<void>()
  const loop = startLoop('work', { error: (fields: { err: unknown }) => errors.push(fields.err) } as never, async () => {
    if (errors.length === 0) throw new Error('once')
    happened.resolve()
    return 1_000_000
  })
  await happened.promise
  assert.equal((errors[0] as Error).message, 'once')
  await loop.stop()
})


test('a passkey that was enrolled by a code of the socket signs on the page, and is still enrolled after a reload and a restart', async (t) => {
  const house = await releaser(t)
  const first = await house.start()
  const { code, sign_origin, rp_id, id } = await house.call('POST', '/enrolments', { name: 'desk' })
  const page = (method: 'GET' | 'POST', path: string, body?: object, headers: Record<string, string> = {}, at = sign_origin) =>
    ask(at, { method, path, headers: { origin: at, 'content-type': 'application/json', ...headers }, ...(body && { body }) })
  assert.match(sign_origin, /^http:\/\/localhost:\d+$/)
  const device = createAuthenticator({ origin: sign_origin, rpId: rp_id })
  const sign = (options: { challenge: string }) => device.sign(Buffer.from(options.challenge, 'base64url'))
  const { data: asked } = await page('POST', '/api/enrol/options', { code, name: '' })
  const { data: key } = await page('POST', '/api/enrol', { code, name: '', response: device.register(Buffer.from(asked.options.challenge, 'base64url')) })
  assert.deepEqual(await house.call('GET', `/enrolments/${id}`), { state: 'used', key_id: key.key_id, name: 'desk' })

  const publicKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const { data: offered } = await page('POST', '/api/session/options', { public_key: publicKey })
  const { data: session } = await page('POST', '/api/session', { session: offered.session, response: sign(offered.options) })
  const bearer = { authorization: `Bearer ${session.token}` }
  const { data: changes } = await page('GET', '/api/changes?after=0', undefined, bearer)
  await house.outbox.propose()
  house.wake()
  const { data: changed } = await page('GET', `/api/changes?after=${changes.version}`, undefined, bearer)
  assert(changed.version > changes.version)
  const [draft] = await eventually(async () => {
    const { data } = await page('GET', '/api/drafts?state=waiting', undefined, bearer)
    return data.length > 0 && data
  })
  const { data: shown } = await page('GET', `/api/drafts/${draft.id}`, undefined, bearer)
  const { data: options } = await page('POST', `/api/drafts/${draft.id}/passkey`, { challenge: shown.challenge }, bearer)
  await page('POST', `/api/drafts/${draft.id}/decide`, { verdict: 'approve', challenge: shown.challenge, passkey: sign(options.options) }, bearer)
  const released = await eventually(async () => {
    const { data } = await page('GET', `/api/drafts/${draft.id}`, undefined, bearer)
    return data.state === 'released' && data
  })
  assert.equal(released.history.find((line: { event: string }) => line.event === 'approved').by, key.key_id)
  const [listed] = await house.call<{ id: string; kind: string; last_used_at: string | null }[]>('GET', '/keys')
  assert.deepEqual([listed!.id, listed!.kind, listed!.last_used_at !== null], [key.key_id, 'passkey', true])

  house.changeHouse((before) => ({ ...before, settings: { ...before.settings, signing: { origin: 'https://castellan.example', rpId: null } } }))
  const moved = await page('GET', '/api/state')
  assert.deepEqual([moved.data.sign_origin, moved.data.enrolled, moved.data.enrolled_for], ['https://castellan.example', false, ['localhost']])
  assert.equal((await page('POST', '/api/session/challenge', { key_id: session.key_id })).error.code, 'origin.unknown')
  house.changeHouse((before) => before)
  assert.equal((await page('GET', '/api/state')).data.enrolled, true)

  await first.stop(1_000)
  await house.start()
  const { sign_origin: later } = await house.call('POST', '/enrolments', {})
  assert.equal((await page('GET', '/api/state', undefined, {}, later)).data.enrolled, true)
  assert.equal((await page('GET', '/api/drafts', undefined, bearer, later)).error.code, 'session.over')
})

// what the page answers is looked at field by field
// eslint-disable-next-line typescript/no-explicit-any
async function ask(origin: string, { method, path, headers, body }: { method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: object }): Promise<any> {
  const response = await request(`${origin.replace('localhost', '127.0.0.1')}${path}`, {
    method, headers: { host: new URL(origin).host, ...headers }, ...(body && { body: JSON.stringify(body) }),
  })
  return response.body.json()
}
