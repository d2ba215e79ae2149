import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { makeCertificate } from '../../test/support/certificate.ts'
import { testDatabase } from '../../test/support/database.ts'
import { startHttpReceiver } from '../../test/support/http-receiver.ts'
import { commandSource, declareSources, httpSource, testSandbox } from '../../test/support/sources.ts'
import { openTestRun } from '../../test/support/tool-run.ts'
import type { SourceSettings } from '../house/index.ts'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import { createFetchLedger } from './fetch-ledger.ts'
import { createFetches, type FetchesDeps } from './fetches.ts'

const secrets = { 'crm-read': 'the-read-token' }

async function house(t: TestContext, sources: readonly SourceSettings[], more: Partial<FetchesDeps> = {}) {
  const db = await testDatabase(t)
  await declareSources(db, sources)
  const { run } = await openTestRun(db, { level: 0 })
  const folder = mkdtempSync(join(tmpdir(), 'castellan-reader-'))
  chmodSync(folder, 0o711) // bubblewrap is started as nobody when root runs this
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const ledger = createFetchLedger(db.as('castellan_reader'), pino({ level: 'silent' }))
  const fetches = createFetches({
    ledger, secrets, folder, sources: () => sources, refusal: () => undefined, credentialFile: '/tmp/credential', signal: new AbortController().signal,
    sandbox: testSandbox, ...more,
  })
  const ask = async (source: string, params: object = {}) => {
    const id = newId()
    const { rows } = await db.as('castellan_worker_open').pool.query<{ outcome: string }>('select source_ask($1, $2, $3, $4, $5) as outcome', [id, run.id, run.fence, source, JSON.stringify(params)])
    assert.equal(rows[0]!.outcome, 'asked')
    return id
  }
  const all = async (text: string) => (await db.owner.pool.query(text)).rows
  return {
    db, ledger, fetches, folder, ask, all,
    fetch: async (source: string, params: object = {}) => fetches.fetch(await ask(source, params)),
    snapshots: async () => (await all('select source, media, body from source_snapshot order by source')).map(({ source, media, body }) => [source, media, String(body)]),
    fetchRows: () => all('select source, state, reason, status, bytes from source_fetch order by asked_at'),
  }
}

test('a source is asked by GET at its address, its parameters encoded into their places, with the credential of the reader; the answer is a snapshot', async (t) => {
  const server = await startHttpReceiver(t, { answer: () => ({ status: 200, body: '[{"lead": "Eva"}]' }) })
  const leads = httpSource('leads', `${server.url}/v1/{owner}/leads`, {
    query: { stage: '{stage}', limit: '10&x=1' }, params: [{ name: 'stage', values: ['open now', 'a&b={owner}'] }, { name: 'owner', form: 'id' }], credential: { header: 'x-api-key', prefix: '', secret: 'crm-read' },
  })
  const { fetch, snapshots, fetchRows, all } = await house(t, [leads])
  assert.deepEqual(await fetch('leads', { stage: 'a&b={owner}', owner: 'me@home' }), { source: 'leads', status: 200, bytes: 17 })
  const { method, path, headers } = server.received[0]!
  assert.deepEqual([method, path, headers['x-api-key'], headers.accept], ['GET', '/v1/me%40home/leads?stage=a%26b%3D%7Bowner%7D&limit=10%26x%3D1', 'the-read-token', 'application/json'])
  assert.deepEqual(await snapshots(), [['leads', 'application/octet-stream', '[{"lead": "Eva"}]']])
  assert.deepEqual(await fetchRows(), [{ source: 'leads', state: 'fetched', reason: null, status: 200, bytes: 17 }])
  const written = JSON.stringify([await all('select * from source_fetch'), await all('select * from audit_event')])
  assert.ok(!written.includes('the-read-token') && !written.includes('Eva'))
})

test('what goes wrong is in the ledger by its reason, and the snapshot stays as it was', async (t) => {
  const server = await startHttpReceiver(t, { answer: () => ({ status: 200, body: '"good"' }) })
  const { fetch, snapshots, fetchRows } = await house(t, [httpSource('leads', server.url, { timeoutMs: 3_000, bytes: 100, credential: { header: 'authorization', prefix: 'Bearer ', secret: 'crm-read' } })])
  await fetch('leads')
  const ways: [Parameters<typeof server.misbehave>[0], string][] = [
    [{ status: 302, headers: { location: 'http://localhost:1/elsewhere' } }, 'redirect'], [{ status: 401 }, 'denied'], [{ status: 404 }, 'status'], [{ status: 500 }, 'status'], [{ status: 204 }, 'status'],
    [{ status: 200, body: 'x'.repeat(101) }, 'size'], [{ status: 200, body: 'no json' }, 'format'], [{ status: 200, body: '['.repeat(99) }, 'format'], [{ status: 200, body: '{}', headers: { 'content-encoding': 'gzip' } }, 'format'],
    ['half', 'broken'], ['stall', 'unreachable'], ['drop', 'unreachable'], ['babble', 'unreachable'],
  ]
  for (const [how, reason] of ways) {
    server.misbehave(how)
    await assert.rejects(fetch('leads'), (error: { code: string; message: string }) => error.code === `source.${reason}` && !error.message.includes('the-read-token'), JSON.stringify(how))
  }
  assert.deepEqual((await fetchRows()).slice(1).map(({ state, reason }) => [state, reason]), ways.map(([, reason]) => ['failed', reason]))
  assert.deepEqual(await snapshots(), [['leads', 'application/octet-stream', '"good"']])
  assert.equal(server.received.filter(({ method }) => method !== 'GET').length, 0)
})

test('nothing is asked at an address that is not on the internet, without its secret, or while all processes share one user', async (t) => {
  const server = await startHttpReceiver(t)
  const url = `${server.url}/x`
  const credential = { header: 'authorization', prefix: 'Bearer ' }
  const sources = [httpSource('inside', url, { private: false }), httpSource('poor', url, { credential: { ...credential, secret: 'missing' } })]
  const { fetch } = await house(t, sources)
  await assert.rejects(fetch('inside'), { code: 'source.address' })
  await assert.rejects(fetch('poor'), { code: 'source.secret', message: /Put it into \$CASTELLAN_HOME\/secrets\/missing/ })
  const shared = await house(t, sources, { refusal: () => 'start Castellan as root' })
  await assert.rejects(shared.fetch('poor'), { code: 'source.demonstration' })
  const stale = await house(t, sources, { sources: () => [] })
  await assert.rejects(stale.fetch('poor'), { code: 'source.undeclared' })
  assert.equal(server.connections, 0)
})

test('what the reader knows of parameters is looked at again, even if the database let them through', async (t) => {
  const server = await startHttpReceiver(t, { answer: () => ({ status: 200, body: '1' }) })
  const leads = httpSource('leads', `${server.url}/{id}`, { params: [{ name: 'id', values: ['../admin', 'good'] }] })
  const { fetch } = await house(t, [leads], { sources: () => [{ ...leads, params: [{ name: 'id', form: 'id' }] }] })
  await assert.rejects(fetch('leads', { id: '../admin' }), { code: 'source.params' })
  await fetch('leads', { id: 'good' })
  assert.deepEqual(server.received.map(({ path }) => path), ['/good'])
})

test('who asks twice for the same waits for the same; many at once are asked in turn, and each once', async (t) => {
  const server = await startHttpReceiver(t, { answer: () => ({ status: 200, body: '1' }) })
  const { fetches, ask } = await house(t, [httpSource('leads', server.url)])
  const id = await ask('leads')
  await Promise.all([fetches.fetch(id), fetches.fetch(id)])
  assert.equal(server.received.length, 1)
  await assert.rejects(fetches.fetch(id), { code: 'source.taken' })
  await assert.rejects(fetches.fetch(newId()), { code: 'source.taken' })
  const ids = await Promise.all(Array.from({ length: 20 }, () => ask('leads')))
  await Promise.all(ids.map((one) => fetches.fetch(one)))
  await fetches.settled()
  assert.equal(server.received.length, 21)
})

test('a reader that is stopped says so, and the fetch is over', async (t) => {
  const server = await startHttpReceiver(t)
  const stopping = new AbortController()
  const { fetches, ask, fetchRows } = await house(t, [httpSource('leads', server.url)], { signal: stopping.signal })
  server.misbehave('stall')
  const fetching = fetches.fetch(await ask('leads'))
  while (server.received.length === 0) await new Promise((resolve) => setImmediate(resolve))
  stopping.abort()
  await assert.rejects(fetching, { code: 'source.ended' })
  assert.deepEqual((await fetchRows()).map(({ reason }) => reason), ['ended'])
})

test('where no sandbox holds, no command is run, and the ledger says so', async (t) => {
  const unsafe = new Fault('refused', 'sandbox.unsafe', 'no command is run: the canary got out')
  const { fetch, fetchRows } = await house(t, [commandSource('leads', ['/bin/ls'])], { sandbox: async () => ({ run: () => Promise.reject(unsafe) }) })
  await assert.rejects(fetch('leads'), { code: 'sandbox.unsafe' })
  assert.deepEqual((await fetchRows()).map(({ state, reason }) => [state, reason]), [['failed', 'sandbox_unsafe']])
})

const missing = ['/usr/bin/bwrap', '/usr/bin/curl'].filter((program) => !existsSync(program))
const skip = missing.length > 0 ? `${missing.join(' and ')} missing: apt install bubblewrap curl` : false

/** A vendor's program, as a script: reads its token from the file that it is told of, and asks the vendor's API. */
async function vendor(t: TestContext, body: string) {
  const { key, certificate } = makeCertificate('DNS:api.example.test')
  const asked: string[] = []
  const server = createTlsServer({ key, cert: certificate }, (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'castellan-vendor-'))
  chmodSync(folder, 0o755)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const program = join(folder, 'vendor')
  const script = (host: string) => `#!/bin/bash\nset -e\ncat > /tmp/ca.pem <<'PEM'\n${certificate}PEM\nexec curl --silent --fail --max-time 8 --cacert /tmp/ca.pem --header "authorization: Bearer $(cat "$VENDOR_TOKEN_FILE")" "https://${host}:${port}/leads/$2"\n`
  return {
    asked, program, port,
    write: (host: string) => writeFileSync(program, script(host), { mode: 0o755 }),
    source: commandSource('leads', [program, '--stage', '{stage}'], { params: [{ name: 'stage', values: ['open'] }], network: [{ host: 'api.example.test', port }], credential: { env: 'VENDOR_TOKEN_FILE', secret: 'crm-read' } }),
  }
}

test('a vendor’s program reaches its declared host with its credential, and what it writes is the snapshot', { skip }, async (t) => {
  const { asked, write, source, port } = await vendor(t, '{"leads": 3}')
  write('api.example.test')
  const { fetch, snapshots, fetchRows, all, folder } = await house(t, [source], { lookup: async () => ['127.0.0.1'] })
  await fetch('leads', { stage: 'open' })
  assert.deepEqual(asked, ['GET /leads/open Bearer the-read-token'])
  assert.deepEqual(await snapshots(), [['leads', 'application/json', '{"leads": 3}']])
  assert.deepEqual(await fetchRows(), [{ source: 'leads', state: 'fetched', reason: null, status: 0, bytes: 12 }])
  assert.deepEqual(await all(`select host, port, address, outcome in ('closed', 'ended') as over, bytes_up > 0 as up, bytes_down > 0 as down from source_connection`), [{ host: 'api.example.test', port, address: '127.0.0.1', over: true, up: true, down: true }])
  assert.deepEqual(readdirSync(folder), [])
})

test('a program that goes elsewhere, fails or goes on for too long brings no snapshot, and the ledger has what it tried', { skip }, async (t) => {
  const { asked, write, source, port, program } = await vendor(t, '{}')
  const { fetch, snapshots, all, fetchRows, folder } = await house(t, [{ ...source, timeoutMs: 8_000 }], { lookup: async () => ['127.0.0.1'] })
  write('evil.example.test')
  await assert.rejects(fetch('leads', { stage: 'open' }), { code: 'source.exit' })
  assert.deepEqual(await all('select host, address, outcome from source_connection'), [{ host: `evil.example.test:${port}`, address: null, outcome: 'refused: host' }])
  writeFileSync(program, '#!/bin/bash\nwhile :; do :; done\n')
  await assert.rejects(fetch('leads', { stage: 'open' }), { code: 'source.timeout' })
  writeFileSync(program, '#!/bin/bash\nyes\n')
  await assert.rejects(fetch('leads', { stage: 'open' }), { code: 'source.size' })
  writeFileSync(program, '#!/bin/bash\necho no json\n')
  await assert.rejects(fetch('leads', { stage: 'open' }), { code: 'source.format' })
  assert.deepEqual([asked, await snapshots(), readdirSync(folder), (await fetchRows()).map(({ reason }) => reason)], [[], [], [], ['exit', 'timeout', 'size', 'format']])
})
