import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request as ask } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Check, RunDetail, SecurityAlert, StatusView, TodayView } from '../src/server/index.ts'
import { freePort } from './support/free-port.ts'
import { homeDatabase } from './support/home-database.ts'
import { insertOrder } from './support/order-row.ts'
import { passkeyOperator } from './support/passkey-operator.ts'
import { runningHouse, type HouseOptions } from './support/running-house.ts'
import { botToken, startTelegramApi } from './support/telegram-api.ts'

const watch = { 'alert-watch.yaml': readFileSync(join(import.meta.dirname, '../house/jobs/alert-watch.yaml'), 'utf8') }

/** A house with the starter job for alerts, and a bot in the operator's own chat. */
async function telling(t: TestContext, options: Pick<HouseOptions, 'faultPoints' | 'limits'> = {}) {
  const api = await startTelegramApi(t, 4711)
  const ports = { SERVER: await freePort(), RELEASER: await freePort() }
  const house = await runningHouse(t, {
    ...options, jobs: watch, ports,
    edit: (yaml) => yaml
      .replace('hold: 10s', 'hold: 100ms\n  tell: me')
      .replace(/^ {2}connectors:$/m, `  connectors:\n    me: { kind: telegram, chat: "4711", token: { secret: bot }, api: "${api.url}", private: true }`),
    prepare(home) {
      mkdirSync(join(home, 'secrets'), { mode: 0o700, recursive: true })
      writeFileSync(join(home, 'secrets', 'bot'), botToken, { mode: 0o600 })
    },
  })
  return { house, ports, sent: () => api.received.filter(({ path }) => path.endsWith('/sendMessage')).map(({ body }) => JSON.parse(body.toString()).text as string) }
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, withinMs = 120_000): Promise<T> {
  for (const deadline = Date.now() + withinMs; ; await delay(100)) {
    const found = await look()
    if (found !== undefined) return found
    assert.ok(Date.now() < deadline, `${what} did not come`)
  }
}

/** A page that made its name point here. */
function rebind(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    ask(`http://127.0.0.1:${port}/api/today`, { headers: { host: 'evil.example' } }, (response) => void resolve(response.resume().statusCode!)).on('error', reject).end()
  })
}

test('an alert stays untold while nobody would be told, and with a standing order it is one message on the operator’s phone', { timeout: 240_000 }, async (t) => {
  const { house, ports, sent } = await telling(t)
  const { call } = house
  const { pool } = await homeDatabase(t, house.home)
  const drafts = async () => (await pool.query<{ id: string; state: string }>(`select id, state from draft where kind = 'telegram.message' order by frozen_at`)).rows
  const alertOf = async (kind: string) => (await call<SecurityAlert[]>('server', 'GET', '/api/alerts')).find((one) => one.kind === kind)

  await t.test('without an order it is not told, which status says; by hand it waits, as everything does', async () => {
    assert.equal(await rebind(ports.SERVER), 403)
    await until('the alert', () => alertOf('page.stranger'))
    assert.match((await call<StatusView>('server', 'GET', '/api/status')).alerts_silent!.why, /no standing order lets messages by me leave/)
    const { id } = await call<{ id: string }>('server', 'POST', '/api/jobs/alert-watch/run')
    assert.equal((await call<RunDetail>('server', 'GET', `/api/runs/${id}?wait=60`)).state, 'succeeded')
    const { state } = await until('a draft', async () => (await drafts())[0])
    assert.equal(state, 'waiting')
    const { runs } = await call<TodayView>('server', 'GET', '/api/today')
    assert.deepEqual(runs.map(({ job }) => job), ['alert-watch'], 'by hand, and no other')
    assert.deepEqual(sent(), [])
  })

  await t.test('with one it leaves by itself, says what to do, and is not said again', async () => {
    const sign = await passkeyOperator(house, `http://localhost:${ports.RELEASER}`)
    const { draft } = await call<{ draft: string }>('releaser', 'POST', '/orders', { name: 'alerts', kind: 'telegram.message', connector: 'me', per_day: 50, level: 1, expires_at: null })
    await sign(draft)
    await until('the order', async () => ((await call<{ state: string }[]>('releaser', 'GET', '/orders')).some(({ state }) => state === 'good') ? true : undefined))
    const [first] = await until('what was untold', () => (sent().length > 0 ? sent() : undefined))
    assert.match(first!, /^Castellan: a security alert\n\na page .*under another name or origin/)
    assert.equal((await call<StatusView>('server', 'GET', '/api/status')).alerts_silent, null)

    await call('server', 'POST', '/api/tools/shell.run/run', { input: { argv: ['/usr/bin/id'] }, wait: 30 })
    const [, text] = await until('a message', () => (sent().length > 1 ? sent() : undefined))
    const alert = (await alertOf('command.refused'))!
    assert.match(text!, new RegExp(`^Castellan: a security alert\\n\\na command was tried that may not be run: tool\\.shell\\.run\\nSeen once, last .*What to do: castellan run list .*\\ncastellan alerts show ${alert.id.slice(-8)}`))
    assert.equal((await drafts()).filter(({ state }) => state === 'waiting').length, 1, 'what waited before still waits')

    // acknowledged, and seen once more: neither is news; the next alert is, and it is told alone
    await call('server', 'POST', `/api/alerts/${alert.id}/ack`)
    await call('server', 'POST', '/api/tools/shell.run/run', { input: { argv: ['/usr/bin/id'] }, wait: 30 })
    assert.equal(await rebind(ports.SERVER), 403)
    await until('a count', async () => ((await alertOf('command.refused'))!.count > 1 && (await alertOf('page.stranger'))!.count > 1 ? true : undefined))
    await pool.query(`select castellan.alert_report('process.down', 'reader', 1, now())`)
    await until('a third message', () => (sent().length > 2 ? true : undefined))
    assert.equal(sent().length, 3)
    assert.match(sent()[2]!, /^Castellan: a security alert\n\nCRITICAL: a process died too often and was given up: reader\n/)
  })

  await t.test('by hand it tells of all that nobody has acknowledged', async () => {
    const { id } = await call<{ id: string }>('server', 'POST', '/api/jobs/alert-watch/run')
    const run = await call<RunDetail>('server', 'GET', `/api/runs/${id}?wait=60`)
    assert.equal(run.state, 'succeeded', JSON.stringify(run.error))
    await until('a fourth message', () => (sent().length > 3 ? true : undefined))
    assert.match(sent()[3]!, /^Castellan: 2 security alerts\n[^]*given up: reader[^]*under another name or origin/)
  })
})

test('in a house that names no way nothing is said or waits, the alert stays untold, and status and doctor say so', { timeout: 120_000 }, async (t) => {
  const port = await freePort()
  const house = await runningHouse(t, { jobs: watch, ports: { SERVER: port, RELEASER: 0 } })
  const { pool } = await homeDatabase(t, house.home)
  assert.equal(await rebind(port), 403)
  await until('the alert', async () => (await house.call<SecurityAlert[]>('server', 'GET', '/api/alerts')).find(({ kind }) => kind === 'page.stranger'))
  const { id } = await house.call<{ id: string }>('server', 'POST', '/api/jobs/alert-watch/run')
  assert.equal((await house.call<RunDetail>('server', 'GET', `/api/runs/${id}?wait=60`)).state, 'succeeded', 'by hand it fails at nothing')
  assert.deepEqual((await pool.query(`select started from alert where kind = 'page.stranger'`)).rows, [{ started: {} }])
  assert.match((await house.call<StatusView>('server', 'GET', '/api/status')).alerts_silent!.why, /names no way to you/)
  const check = (await house.call<Check[]>('server', 'GET', '/api/doctor')).find(({ id }) => id === 'alerts')!
  assert.deepEqual([check.status, check.mend], ['warn', 'castellan config explain outbox.tell'])
  assert.deepEqual((await pool.query('select 1 from proposal')).rows, [])
  assert.equal((await house.call<TodayView>('server', 'GET', '/api/today')).dead.length, 0)
})

test('processes that die wherever they can tell of each alert once', { timeout: 240_000 }, async (t) => {
  let deadly: string | undefined = ['alert.open:before', 'alert.open:after', 'step.done', 'run.claim:before', 'run.claim:after'].map((point) => `${point}=0.4`).join(',')
  const { house } = await telling(t, { faultPoints: () => deadly, limits: { crashes: Number.POSITIVE_INFINITY, windowMs: 60_000, backoffMs: [10] } })
  const { pool } = await homeDatabase(t, house.home)
  // a row that nothing proves lets nothing leave: the proposals are what is counted
  await insertOrder({ pool } as never, { connector: 'me' })
  const kinds = ['page.stranger', 'injection.stopped', 'nonce.replayed', 'sandbox.unsafe']
  for (const kind of kinds) {
    await pool.query(`select castellan.alert_report($1, 'told', 1, now())`, [kind])
    await until(`a proposal for ${kind}`, async () => ((await told(kind)) > 0 ? true : undefined), 150_000)
  }
  deadly = undefined
  await until('the end of every run', async () => ((await pool.query(`select 1 from castellan.run where closed_at is null`)).rowCount === 0 ? true : undefined))
  for (const kind of kinds) assert.equal(await told(kind), 1, kind)
  assert.ok((await pool.query(`select 1 from castellan.alert where kind = 'process.crashing'`)).rowCount! > 0, 'something died')

  /** How many proposals tell of it. */
  async function told(kind: string): Promise<number> {
    const { rows } = await pool.query<{ n: number }>(
      `select count(*)::int as n from castellan.proposal p, castellan.alert a where a.kind = $1 and a.subject = 'told' and p.payload ->> 'text' like '%' || right(a.id::text, 8) || '%'`, [kind])
    return rows[0]!.n
  }
})
