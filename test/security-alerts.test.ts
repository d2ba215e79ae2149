import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request as ask } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { ProcessName } from '../src/processes/boot.ts'
import type { SecurityAlert, StatusView, TodayView } from '../src/server/index.ts'
import { freePort } from './support/free-port.ts'
import { homeDatabase } from './support/home-database.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'
import { githubHeaders, secrets } from './support/webhooks.ts'

const cli = join(import.meta.dirname, '..', 'bin', 'castellan.js')

async function house(t: TestContext): Promise<RunningHouse & { hooks: number }> {
  const hooks = await freePort()
  const running = await runningHouse(t, {
    edit: (yaml) => `${yaml}\nports: { webhooks: ${hooks} }\nwebhooks: { hub: { kind: github, secrets: [ { secret: hub } ] } }\n`,
    prepare(home) {
      mkdirSync(join(home, 'secrets'), { mode: 0o700 })
      writeFileSync(join(home, 'secrets', 'hub'), secrets.hub, { mode: 0o600 })
    },
  })
  return { ...running, hooks }
}

/** The alert, once it is there. */
async function alert({ call }: RunningHouse, kind: string, subject: string): Promise<SecurityAlert> {
  for (const deadline = Date.now() + 30_000; ; await delay(100)) {
    const alerts = await call<SecurityAlert[]>('server', 'GET', '/api/alerts')
    const found = alerts.find((one) => one.kind === kind && one.subject === subject)
    if (found !== undefined) return found
    assert(Date.now() < deadline, `${kind} of ${subject} did not come; there are ${alerts.map((one) => `${one.kind} ${one.subject}`).join(', ')}`)
  }
}

/** A status; `host` is what fetch would not let anybody say. */
function status(url: string, headers: Record<string, string>, body = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    ask(url, { method: body === '' ? 'GET' : 'POST', headers }, (response) => void resolve(response.resume().statusCode!)).on('error', reject).end(body)
  })
}

async function kill({ up }: RunningHouse, name: ProcessName): Promise<void> {
  const child = up.processes.get(name)!
  const ready = (async () => {
    for (;;) if ((await once(child, 'state'))[0].state === 'ready') return
  })()
  process.kill(child.state.pid!, 'SIGKILL')
  await ready
}

test('what is tried against a running house becomes alerts, each with what to do', { timeout: 240_000 }, async (t) => {
  const running = await house(t)
  const { call, home, hooks, up } = running
  const { url } = await call<{ url: string }>('server', 'POST', '/api/signin/link')
  const { origin } = new URL(url)
  const owner = await homeDatabase(t, home)

  await t.test('that the processes share one user, where they do: it informs, and needs nobody', async () => {
    if (up.isolation.mode === 'demonstration') assert.equal((await alert(running, 'isolation.demonstration', 'processes')).level, 'info')
    else assert.deepEqual(await call<SecurityAlert[]>('server', 'GET', '/api/alerts'), [])
    assert.equal((await call<TodayView>('server', 'GET', '/api/today')).security_alerts.length, 0)
  })

  await t.test('six wrong sign-in codes at the dashboard, those while it is locked included', async () => {
    const json = { 'content-type': 'application/json', origin }
    const answers: number[] = []
    for (let n = 0; n < 7; n++) answers.push(await status(`${origin}/api/signin`, json, JSON.stringify({ code: randomBytes(16).toString('base64url') })))
    assert.ok(answers.every((answer) => answer === 401 || answer === 429), answers.join())
    const { count, level, mend } = await alert(running, 'signin.failed', 'dashboard')
    assert.ok(count > 5)
    assert.equal(level, 'warning')
    assert.match(mend, /castellan session list/)
  })

  await t.test('a page that made its name point here', async () => {
    assert.equal(await status(`${origin}/api/today`, { host: 'evil.example' }), 403)
    assert.equal((await alert(running, 'page.stranger', 'dashboard')).code, 'host.unknown')
  })

  await t.test('six wrong keys at a gate', async () => {
    const line = readFileSync(join(home, 'log', 'gate-local.log'), 'utf8').split('\n').find((one) => one.includes('"address"'))!
    const { address } = JSON.parse(line) as { address: string }
    for (let n = 0; n < 6; n++) {
      assert.equal(await status(`${address}/v1/models`, { authorization: `Bearer ck_${randomBytes(32).toString('hex')}` }), 401)
    }
    assert.equal((await alert(running, 'signin.failed', 'gate-local')).code, 'session_unknown')
  })

  await t.test('a command that the shell does not allow', async () => {
    await call('server', 'POST', '/api/tools/shell.run/run', { input: { argv: ['/usr/bin/id'] }, wait: 30 })
    assert.equal((await alert(running, 'command.refused', 'tool.shell.run')).code, 'shell.not_allowed')
  })

  await t.test('six deliveries that were signed with another secret, and none of the right one', async () => {
    const body = '{"ref":"refs/heads/main"}'
    const deliver = (secret: string) => status(`http://127.0.0.1:${hooks}/hooks/hub`, githubHeaders(body, { secret }) as Record<string, string>, body)
    for (let n = 0; n < 6; n++) assert.equal(await deliver(secrets.old), 404)
    assert.equal(await deliver(secrets.hub), 202)
    assert.equal((await alert(running, 'webhook.forged', 'hub')).count, 6)
  })

  await t.test('a process that was taken over: it asks what it may not, and reports nothing of itself', async () => {
    const { rows } = await owner.pool.query<{ verifier: string }>(`select rolpassword as verifier from pg_authid where rolname = 'castellan_worker_open'`)
    await owner.pool.query(`alter role castellan_worker_open password 'stolen'`)
    const { host, port, database } = owner.pool.options
    const client = new pg.Client({ host, port, database, user: 'castellan_worker_open', password: 'stolen' } as pg.ClientConfig)
    await client.connect()
    await owner.pool.query(`alter role castellan_worker_open password '${rows[0]!.verifier}'`)
    for (const statement of ['select * from castellan.draft', `update castellan.alert set state = 'closed'`]) await assert.rejects(client.query(statement), { code: '42501' })
    await client.end()
    const { level, code, count } = await alert(running, 'database.refused', 'castellan_worker_open')
    assert.deepEqual([level, code], ['warning', '42501'])
    assert.ok(count <= 2)
  })

  await t.test('a record of the audit that was altered, found by a releaser that starts; and that it died twice', async () => {
    for (const deadline = Date.now() + 20_000; (await owner.pool.query('select 1 from audit_seal where batch > 1')).rowCount === 0; await delay(100)) assert(Date.now() < deadline, 'nothing was sealed')
    await owner.pool.query(`update audit_event set subject = 'somebody else' where (xid, id) = (select xid, id from audit_event order by xid, id limit 1)`)
    await kill(running, 'releaser')
    const { level, code, mend } = await alert(running, 'audit.broken', 'chain')
    assert.deepEqual([level, code], ['critical', 'batch.1'])
    assert.match(mend, /castellan audit verify/)
    await kill(running, 'releaser')
    assert.equal((await alert(running, 'process.crashing', 'releaser')).level, 'warning')
  })

  await t.test('status, today, metrics and the command line say the same, and an acknowledgement is on the record', async () => {
    const castellan = (...args: string[]) => JSON.parse(execFileSync(process.execPath, [cli, ...args, '--home', home, '--json'], { encoding: 'utf8' })).data
    const listed = castellan('alerts', 'list') as SecurityAlert[]
    assert.equal(listed[0]!.kind, 'audit.broken')
    const open = listed.filter(({ state, level }) => state === 'open' && level !== 'info')
    const { alerts_open: counts } = await call<StatusView>('server', 'GET', '/api/status')
    assert.deepEqual([counts.critical, counts.critical + counts.warning], [1, open.length])
    const today = await call<TodayView>('server', 'GET', '/api/today')
    assert.deepEqual(today.security_alerts.map(({ id }) => id), open.map(({ id }) => id))
    assert.match(await (await fetch(`${origin}/metrics`)).text(), /castellan_alerts_open\{level="critical",kind="audit.broken"\} 1/)
    assert.equal(castellan('alerts', 'ack', listed[0]!.id.slice(-8)).state, 'acknowledged')
    assert.equal(castellan('alerts', 'show', listed[0]!.id).state, 'acknowledged')
    assert.equal((await call<StatusView>('server', 'GET', '/api/status')).alerts_open.critical, 0)
    const { rows } = await owner.pool.query<{ kind: string; count: number }>(`select kind, count(*)::int as count from audit_event where kind like 'alert.%' group by kind order by kind`)
    assert.deepEqual(rows.map(({ kind }) => kind), ['alert.acknowledged', 'alert.opened'])
    assert.match(readFileSync(join(home, 'log', 'releaser.log'), 'utf8'), /"level":"error"[^\n]*"alert":"audit.broken"/)
  })
})
