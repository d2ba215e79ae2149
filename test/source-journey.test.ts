import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { makeCertificate } from './support/certificate.ts'
import { startHttpReceiver } from './support/http-receiver.ts'
import { homeDatabase } from './support/home-database.ts'
import { runningHouse } from './support/running-house.ts'

const job = `summary: Look who may buy
lane: private
retry: { tries: 6 }
steps:
  - id: ask
    uses: source.refresh
    with: { source: leads }
  - id: leads
    uses: source.read
    with: { source: leads, maxAge: 8h }
`

const ticketsJob = `summary: Look which tickets are open
lane: private
steps:
  - { id: ask, uses: source.refresh, with: { source: tickets } }
  - { id: tickets, uses: source.read, with: { source: tickets } }
`

const missing = ['/usr/bin/bwrap', '/usr/bin/curl'].filter((program) => !existsSync(program))
const skip = missing.length > 0 ? `${missing.join(' and ')} missing: apt install bubblewrap curl` : false

async function house(t: TestContext, jobs: Record<string, string>, sources: object) {
  const running = await runningHouse(t, {
    jobs,
    edit: (yaml) => `${yaml}\nisolation: { accept_demonstration: true }\nsources: ${JSON.stringify(sources)}\n`,
    prepare: (home) => {
      mkdirSync(join(home, 'secrets'), { mode: 0o700 })
      writeFileSync(join(home, 'secrets', 'crm-read'), 'the-read-token\n', { mode: 0o600 })
    },
  })
  const database = await homeDatabase(t, running.home)
  const rows = async <T>(text: string) => (await database.pool.query(text)).rows as T[]
  const until = async (holds: () => Promise<boolean>) => {
    for (const deadline = performance.now() + 60_000; !(await holds()); await delay(50)) assert.ok(performance.now() < deadline, JSON.stringify(await rows('select * from run')))
  }
  return {
    running, rows, until,
    start: (job: string) => running.call('server', 'POST', `/api/jobs/${job}/run`, {}),
    closed: (job: string) => until(async () => (await rows(`select 1 from run where job = '${job}' and closed_at is not null`)).length > 0),
    run: async (job: string) => (await rows<Record<string, unknown>>(`select state, error, label_level, label_integrity from run where job = '${job}'`))[0],
    content: async (step: string) => (await rows<{ output: { content: unknown } }>(`select output from step where id = '${step}'`))[0]?.output.content,
  }
}

const succeeded = { state: 'succeeded', error: null, label_level: 2, label_integrity: 'untrusted' }

test('a job reads what a source says, by a process that it cannot become, also when that dies in between', { timeout: 240_000 }, async (t) => {
  const server = await startHttpReceiver(t, { answer: () => ({ status: 200, body: '[{"name": "Eva"}]' }) })
  const { running, rows, start, until, closed, run, content } = await house(t, { 'leads.yaml': job }, { leads: { kind: 'http', url: `${server.url}/leads`, private: true, credential: { secret: 'crm-read' } } })
  assert.equal(running.up.processes.get('reader')!.state.state, 'ready')
  server.misbehave('stall')
  await start('leads')
  await until(async () => server.received.length === 1)
  const [before] = await rows<{ state: string }>('select state from source_fetch')
  assert.equal(before!.state, 'open', 'the row is there before anything is asked')
  const pid = running.up.processes.get('reader')!.pid!
  process.kill(pid, 'SIGKILL')
  await closed('leads')
  assert.deepEqual(await run('leads'), succeeded)
  assert.deepEqual(await content('leads'), [{ name: 'Eva' }])
  assert.deepEqual(server.received.map(({ method, path, headers }) => [method, path, headers.authorization]), Array.from({ length: 2 }, () => ['GET', '/leads', 'Bearer the-read-token']))
  assert.deepEqual(await rows('select state, reason from source_fetch where state <> \'asked\' order by asked_at'), [{ state: 'failed', reason: 'lost' }, { state: 'fetched', reason: null }])
  assert.deepEqual(await rows(`select distinct actor from audit_event where kind like 'source.%'`), [{ actor: 'castellan_reader' }])
})

test('the reader runs a vendor’s command as itself, with one way out', { skip, timeout: 240_000 }, async (t) => {
  const { key, certificate } = makeCertificate()
  const server = createTlsServer({ key, cert: certificate }, (request, response) => response.end(JSON.stringify([request.headers.authorization])))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'castellan-vendor-'))
  chmodSync(folder, 0o755)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const program = join(folder, 'tickets')
  writeFileSync(program, `#!/bin/bash\nset -e\ncat > /tmp/ca.pem <<'PEM'\n${certificate}PEM\ncurl --silent --fail --cacert /tmp/ca.pem --header "authorization: $(cat "$CREDENTIAL_FILE")" https://localhost:${port}/\n`, { mode: 0o755 })
  chmodSync(program, 0o755)
  const { rows, start, closed, run, content } = await house(t, { 'tickets.yaml': ticketsJob }, { tickets: { kind: 'command', argv: [program], network: [`localhost:${port}`], private: true, credential: { secret: 'crm-read' } } })
  await start('tickets')
  await closed('tickets')
  assert.deepEqual(await run('tickets'), succeeded)
  assert.deepEqual(await content('tickets'), ['the-read-token'])
  assert.deepEqual(await rows('select host, port, address from source_connection'), [{ host: 'localhost', port, address: '127.0.0.1' }])
})
