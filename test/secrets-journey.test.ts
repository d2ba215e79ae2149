import assert from 'node:assert/strict'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { runCli } from '../src/cli/program.ts'
import { openRecords, openSecretFolder } from '../src/secrets/index.ts'
import type { Check, StatusView, TodayView } from '../src/server/index.ts'
import { freePort } from './support/free-port.ts'
import { homeDatabase } from './support/home-database.ts'
import { runningHouse } from './support/running-house.ts'
import { githubHeaders } from './support/webhooks.ts'

const push = JSON.stringify({ ref: 'refs/heads/main' })

test('a secret that is rotated is what its process works with a moment later; the audit knows its name, and the morning page whose time has come', { timeout: 120_000 }, async (t) => {
  const port = await freePort()
  const atHome = join(mkdtempSync(join(tmpdir(), 'castellan-at-home-')), 'smtp')
  t.after(() => rmSync(dirname(atHome), { recursive: true }))
  writeFileSync(atHome, 'the password of the post\n', { mode: 0o600 })
  const { home, call } = await runningHouse(t, {
    edit: (yaml) => `${yaml.replace('  connectors:\n', `  connectors:\n    post: { kind: smtp, host: 127.0.0.1, port: 25, security: none, user: me, password: { secret: smtp }, from: me@halden.example }\n`)}
ports: { webhooks: ${port} }
webhooks: { hub: { kind: github, secrets: [ { secret: hub } ] } }
secrets: { hub: { from: made }, smtp: { from: file, file: ${atHome} } }
`,
    prepare(home) {
      mkdirSync(join(home, 'secrets'), { mode: 0o700 })
      const folder = openSecretFolder(home)
      folder.write('hub', 'the first secret of the hub')
      folder.write('smtp', 'the password of the post')
      const records = openRecords(folder)
      records.change('smtp', { changedAt: '2026-01-02T00:00:00.000Z', renderedAt: '2026-01-02T00:00:00.000Z' })
      records.note('rotate', 'smtp', new Date('2026-01-02T00:00:00Z'))
    },
  })
  const castellan = async (...argv: string[]) => {
    let stdout = ''
    const screen = { isTTY: false, columns: 100, write: (text: string) => void (stdout += text) }
    const exit = await runCli([...argv, '--json', '--home', home], { env: { CASTELLAN_HOME: home, PATH: process.env.PATH }, stdin: Object.assign(new PassThrough(), { isTTY: false }), stdout: screen, stderr: screen })
    return { exit, ...(JSON.parse(stdout) as { ok: boolean; data: Record<string, unknown> & { house: { restarted: string[] } } }) }
  }
  const deliver = async (secret: string) => {
    try {
      const answer = await request(`http://127.0.0.1:${port}/hooks/hub`, { method: 'POST', headers: githubHeaders(push, { secret }), body: push })
      await answer.body.dump()
      return answer.statusCode
    } catch {
      return undefined // it is being started
    }
  }
  const pids = async () => Object.fromEntries((await call<StatusView>('server', 'GET', '/api/status')).processes.map(({ name, pid }) => [name, pid]))

  await t.test('what was done while no house ran is in the audit once one does', async () => {
    assert.deepEqual(openRecords(openSecretFolder(home)).unrecorded(), [])
  })

  await t.test('the doctor and the morning page say that a secret is due, and nothing of its value', async () => {
    const found = (await call<Check[]>('server', 'GET', '/api/doctor')).filter(({ id }) => id === 'secrets')
    assert.deepEqual(found, [
      { id: 'secrets', status: 'ok', what: '2 of 2 secret(s) are there' },
      { id: 'secrets', status: 'warn', what: 'the secret smtp is due for a new value', mend: 'castellan secrets rotate smtp' },
    ])
    const { alerts } = await call<TodayView>('server', 'GET', '/api/today')
    assert.deepEqual(alerts.map(({ kind, what }) => [kind, what]), [['secret.due', 'the secret smtp is due for a new value: castellan secrets rotate smtp']])
  })

  const before = await pids()
  assert.equal(await deliver('the first secret of the hub'), 202)
  const rotated = await castellan('secrets', 'rotate', 'hub', '--yes')
  assert.deepEqual([rotated.exit, rotated.data.state, rotated.data.house.restarted], [0, 'rotated', ['server']])
  const second = readFileSync(join(home, 'secrets', 'hub'), 'utf8').trim()
  for (const deadline = Date.now() + 30_000; (await deliver(second)) !== 202; await delay(100)) assert.ok(Date.now() < deadline, 'the server does not take the new secret')
  assert.equal(await deliver('the first secret of the hub'), 404)
  const after = await pids()
  assert.notEqual(after.server, before.server)
  assert.deepEqual({ ...after, server: 0 }, { ...before, server: 0 }, 'who is not given it goes on')

  await t.test('a password that comes by a descriptor reaches its source and the releaser, and the reminder ends', async () => {
    writeFileSync(`${atHome}.new`, 'the next password of the post\n', { mode: 0o600 })
    const descriptor = openSync(`${atHome}.new`, 'r')
    const { exit, data } = await castellan('secrets', 'rotate', 'smtp', '--value-fd', String(descriptor))
    closeSync(descriptor)
    assert.deepEqual([exit, data.house.restarted, readFileSync(atHome, 'utf8')], [0, ['releaser'], 'the next password of the post\n'])
    assert.notEqual((await pids()).releaser, before.releaser)
    assert.deepEqual((await call<TodayView>('server', 'GET', '/api/today')).alerts, [])
  })

  const owner = await homeDatabase(t, home)
  const { rows } = await owner.pool.query<{ subject: string; request: string; detail: string }>(
    `select subject, detail ->> 'request' as request, detail::text as detail from audit_event where kind = 'operator.request' order by id`)
  assert.deepEqual(rows.map(({ request, subject }) => `${request} ${subject}`), ['secret.rotate smtp', 'secret.rotate hub', 'secret.rotate smtp'])
  assert.ok(!rows.some(({ detail }) => detail.includes(second) || /first secret|password of/.test(detail)))
})
