import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import type { Check, StatusView, WebhooksView } from '../src/server/index.ts'
import { freePort } from './support/free-port.ts'
import { homeDatabase } from './support/home-database.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'
import { githubHeaders, secrets } from './support/webhooks.ts'

const job = `
summary: Tells the team what was pushed
on: { webhook: hub, events: [push] }
lane: private
steps:
  - { id: event, uses: webhook.read, with: { id: "{{ input.event.id }}" } }
  - id: propose
    uses: outbox.propose
    with:
      connector: file
      proposals:
        - key: "{{ input.event.event_id }}"
          kind: mail
          to: [team@example.org]
          subject: "Pushed: {{ steps.event.output.payload.head_commit.message | plain }}"
          text: "{{ steps.event.output.payload.pusher.name | plain }} pushed to {{ steps.event.output.payload.ref | plain }}."
`
const push = JSON.stringify({ ref: 'refs/heads/main', pusher: { name: 'levke' }, head_commit: { message: 'Bake the stollen' } })

interface DraftLine { readonly id: string; readonly title: string; readonly state: string; readonly label: { level: number; integrity: string } }

async function house(t: TestContext, faultPoints?: () => string | undefined): Promise<RunningHouse & { port: number }> {
  const port = await freePort()
  const running = await runningHouse(t, {
    jobs: { 'pushed.yaml': job },
    ...(faultPoints && { faultPoints }),
    edit: (yaml) => `${yaml}\nports: { webhooks: ${port} }\nwebhooks: { hub: { kind: github, secrets: [ { secret: hub } ] } }\n`,
    prepare(home) {
      mkdirSync(join(home, 'secrets'), { mode: 0o700 })
      writeFileSync(join(home, 'secrets', 'hub'), secrets.hub, { mode: 0o600 })
    },
  })
  return { ...running, port }
}

async function deliver(port: number, body: string, headers: ReturnType<typeof githubHeaders>): Promise<number | undefined> {
  try {
    const answer = await request(`http://127.0.0.1:${port}/hooks/hub`, { method: 'POST', headers, body })
    await answer.body.dump()
    return answer.statusCode
  } catch {
    return undefined
  }
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 30_000; ; await delay(100)) {
    const found = await look()
    if (found !== undefined) return found
    assert(Date.now() < deadline, `${what} did not come`)
  }
}

test('a push that GitHub signed becomes a draft that waits for the operator; a forged one becomes a number', { timeout: 120_000 }, async (t) => {
  const { call, port, home } = await house(t)
  const headers = githubHeaders(push)
  assert.equal(await deliver(port, push, githubHeaders(push, { secret: secrets.old })), 404)
  assert.equal(await deliver(port, push, headers), 202)
  const [draft] = await until('the draft', async () => {
    const drafts = await call<DraftLine[]>('releaser', 'GET', '/drafts')
    return drafts.length > 0 ? drafts : undefined
  })
  assert.deepEqual([draft!.title, draft!.state, draft!.label.level, draft!.label.integrity], ['Pushed: Bake the stollen', 'waiting', 2, 'untrusted'])

  assert.equal(await deliver(port, push, headers), 202, 'a sender that tries again is told that all is well')
  assert.equal(await deliver(port, push, githubHeaders(push)), 202)
  const { webhooks: [hub], ...rest } = await call<WebhooksView>('server', 'GET', '/api/webhooks')
  assert.deepEqual([rest.port, hub!.state, hub!.jobs, hub!.waiting, hub!.today], [port, 'listening', ['pushed'], 0, { stored: 1, replayed: 2, unwanted: 0, refused: 1, reasons: { forged: 1 } }])
  assert.deepEqual((await call<StatusView>('server', 'GET', '/api/status')).webhooks, { port, declared: 1, stored_today: 1, refused_today: 1 })
  const checks = (await call<Check[]>('server', 'GET', '/api/doctor')).filter(({ id }) => id === 'webhooks')
  assert.deepEqual(checks.map(({ status, what }) => `${status}: ${what}`), [`ok: 1 webhook(s) on 127.0.0.1:${port}, 1 event(s) today`, 'warn: hub: 1 deliveries were refused today (1 not signed with its secret)'])
  // a proposal is frozen as soon as it is there, which may be before its run is closed
  const runs = await until('the end of the run', async () => {
    const found = await call<{ job: string; origin: string; state: string; label: { word: string } }[]>('server', 'GET', '/api/runs')
    return found.every(({ state }) => ['succeeded', 'cancelled', 'dead'].includes(state)) ? found : undefined
  })
  assert.deepEqual(runs.map(({ job, origin, state, label }) => [job, origin, state, label.word]), [['pushed', 'webhook', 'succeeded', 'P2 internal']])
  assert.equal((await call<{ ok: boolean }>('releaser', 'GET', '/audit/verify')).ok, true)

  // the operator delivers one to himself, with the secret that he can read
  const event = join(home, 'event.json')
  writeFileSync(event, push.replace('Bake', 'Eat'))
  const castellan = (...argv: string[]) => execFileSync(process.execPath, [join(import.meta.dirname, '..', 'bin', 'castellan.js'), ...argv, '--home', home], { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(castellan('webhook', 'test', 'hub', '--type', 'push', '--event', event, '--json')), { ok: true, data: { state: 'accepted', status: 202, webhook: 'hub' } })
  await until('the second draft', async () => ((await call<DraftLine[]>('releaser', 'GET', '/drafts')).some(({ title }) => title === 'Pushed: Eat the stollen') ? true : undefined))
  assert.match(castellan('webhook', 'list'), /hub +github +listening +P2 internal.* pushed +2 +1 \(1 forged\)/)
  assert.match(castellan('status'), new RegExp(`webhooks +1 declared, port ${port}, 2 event\\(s\\) and 1 refused deliveries today`))

  // the dashboard is not there, and nothing of it
  const outside = await request(`http://127.0.0.1:${port}/api/status`)
  assert.deepEqual([outside.statusCode, await outside.body.text()], [404, ''])
})

test('a server that is killed right after it stored an event has started its run once when it is back', { timeout: 120_000 }, async (t) => {
  let points: string | undefined = 'webhook.store:after=1'
  const { call, port, home } = await house(t, () => points)
  points = undefined // the next start of a process lives
  const headers = githubHeaders(push)
  assert.equal(await deliver(port, push, headers), undefined, 'it died before it could answer')
  const answered = await until('an answer', () => deliver(port, push, headers))
  assert.equal(answered, 202)
  await until('the draft', async () => ((await call<DraftLine[]>('releaser', 'GET', '/drafts').catch(() => [])).length > 0 ? true : undefined))
  const { pool } = await homeDatabase(t, home)
  const { rows } = await pool.query(`select (select count(*)::int from inbound_event) as events, (select count(*)::int from run) as runs, (select count(*)::int from inbound_run where outcome = 'opened') as opened`)
  assert.deepEqual(rows, [{ events: 1, runs: 1, opened: 1 }])
})
