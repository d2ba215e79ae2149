import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { declareSources, httpSource } from '../../../test/support/sources.ts'
import { openTestRun, takeOver } from '../../../test/support/tool-run.ts'
import type { SourceSettings } from '../../house/index.ts'
import type { Level } from '../../labels/index.ts'
import { openPool } from '../../kernel/http-pool.ts'
import { callTool } from '../call-tool.ts'
import type { ToolContext } from '../tool-context.ts'
import { createSources } from './create-sources.ts'
import { sourceRead } from './read.ts'
import { sourceRefresh } from './refresh.ts'

const leads = httpSource('leads', 'https://api.example.org/leads')

/** A reader as a worker meets it: a socket that is told an id, takes it from the database and stores what the test says. */
async function reader(t: TestContext, take: (id: string) => Promise<{ status: number; body: object }>) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-source-'))
  const heard: string[] = []
  const server = createServer((request, response) => {
    heard.push(`${request.method} ${request.url}`)
    void take(request.url!.split('/').at(-1)!).then(({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)))
  })
  const socketPath = join(folder, 'socket')
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  const pool = openPool('http://reader', { socketPath, connections: 2 })
  t.after(async () => {
    await pool.close()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { pool, heard }
}

async function house(t: TestContext, sources: readonly SourceSettings[] = [leads], { level = 1 as Level, readsUpTo = 2 as Level, worker = 'private' as 'open' | 'private' } = {}) {
  const database = await testDatabase(t)
  await declareSources(database, sources)
  const here = await openTestRun(database, { level, readsUpTo })
  const role = database.as('castellan_reader').pool
  let says: { status: number; body: object } | undefined
  let content = '[1]'
  const { pool, heard } = await reader(t, async (id) => {
    if (says) return says
    await role.query('select source_take($1)', [id])
    await role.query('select source_store($1, 200, $2, $3)', [id, 'application/json', Buffer.from(content)])
    return { status: 200, body: { ok: true, data: {} } }
  })
  let ahead = 0
  const signal = new AbortController().signal
  const deps = {
    database: database.as(`castellan_worker_${worker}`), reader: pool, sources, clock: { now: () => new Date(Date.now() + ahead) }, run: here.run, signal, label: here.label, raise: here.raise,
  }
  const context = { ...here, signal, sources: createSources(deps), wasMadeWithoutModel: () => false } as unknown as ToolContext
  const call = async (tool: typeof sourceRead | typeof sourceRefresh, input: object) => (await callTool(tool, context, input)).output as Record<string, unknown>
  return {
    database, heard, run: here.run, label: here.label, raise: here.raise,
    read: (input: object = {}) => call(sourceRead, { source: 'leads', ...input }),
    refresh: (input: object = {}) => call(sourceRefresh, { source: 'leads', ...input }),
    advance: (milliseconds: number) => (ahead += milliseconds),
    answer: (what: { status: number; body: object } | undefined) => (says = what),
    become: (what: string) => (content = what),
    asked: async () => (await database.owner.pool.query<{ n: number }>('select count(*)::int as n from source_fetch')).rows[0]!.n,
  }
}

const hour = 3_600_000

test('the reader is told an id and nothing else, and who reads the snapshot has its label from then on', async (t) => {
  const { refresh, read, heard, label } = await house(t)
  await assert.rejects(read(), { code: 'source.missing', message: /ask for one with source\.refresh/ })
  const { fetched, snapshot } = await refresh()
  const { source, ageSeconds, bytes } = snapshot as Record<string, unknown>
  assert.deepEqual([fetched, source, ageSeconds, bytes], [true, 'leads', 0, 3])
  assert.match(heard.join(), /^POST \/fetches\/[0-9a-f-]{36}$/)
  const { content, stale, media } = await read()
  assert.deepEqual([content, stale, media], [[1], false, 'application/json'])
  assert.deepEqual(label(), { level: 2, integrity: 'untrusted', lanes: ['private'] })
})

test('a snapshot that is young enough is not asked for anew; a step may want a younger one', async (t) => {
  const { refresh, advance, asked } = await house(t)
  const fetched = async (input = {}) => (await refresh(input))['fetched']
  assert.deepEqual([await fetched(), await fetched(), await fetched({ maxAge: '1h' })], [true, false, false])
  advance(10 * 60_000)
  assert.deepEqual([await fetched(), await fetched({ maxAge: '5m' }), await asked()], [false, true, 2])
})

test('an old snapshot is refused, with its age, unless the step lets it be old; one from the future is old as well', async (t) => {
  const { refresh, read, advance, asked } = await house(t)
  await refresh()
  advance(7 * hour)
  assert.equal((await read())['stale'], false)
  await assert.rejects(read({ maxAge: '6h' }), { kind: 'unavailable', code: 'source.stale', message: /is 7h.* old, and at most 6h was asked for; refresh it with source\.refresh/ })
  advance(2 * hour)
  await assert.rejects(read(), { code: 'source.stale' })
  const { stale, ageSeconds } = await read({ stale: 'allow' })
  assert.deepEqual([stale, Math.round(Number(ageSeconds) / 3_600)], [true, 9])
  advance(-20 * hour)
  await assert.rejects(read(), { code: 'source.stale', message: /from the future/ })
  assert.deepEqual([(await read({ stale: 'allow' }))['stale'], await asked()], [true, 1])
  assert.equal((await refresh())['fetched'], true, 'a snapshot from the future is not young')
})

test('what the database or the reader refuses is an error that says what to do', async (t) => {
  const params = [{ name: 'stage', values: ['open'] }]
  const { refresh, read, answer, database, run, heard } = await house(t, [{ ...leads, params, limits: { hour: 2, day: 9 } }], { level: 1 })
  await assert.rejects(refresh({ source: 'other' }), { code: 'source.undeclared', message: /it declares: leads/ })
  await assert.rejects(refresh({ params: { stage: 'lost' } }), { code: 'source.params', message: /it takes stage \(open\)/ })
  await assert.rejects(refresh({ params: { stage: 'open' } }), { code: 'source.label', message: /above P0 public/ })
  await assert.rejects(read({ source: 'leads', url: 'https://evil.test' }), { code: 'tool.input' })
  assert.deepEqual(heard, [])
  await declareSources(database, [{ ...leads, limits: { hour: 1, day: 9 } }])
  answer({ status: 403, body: { ok: false, error: { code: 'source.denied', message: 'it does not take the credential' } } })
  await assert.rejects(refresh(), { kind: 'refused', code: 'source.denied', message: 'it does not take the credential' })
  await assert.rejects(refresh(), { kind: 'unavailable', code: 'source.limit' })
  await takeOver(database.owner, run.id)
  await assert.rejects(refresh(), { code: 'run.fence_lost' })
})

test('parameters are not said in the step that has read more than its run', async (t) => {
  const { refresh, raise, asked } = await house(t, [{ ...leads, params: [{ name: 'stage', values: ['open'] }], paramsUpTo: 1 }])
  assert.equal((await refresh({ params: { stage: 'open' } }))['fetched'], true)
  raise({ level: 3, integrity: 'trusted', lanes: ['private'] })
  await assert.rejects(refresh({ params: { stage: 'open' }, maxAge: '0s' }), { code: 'source.label', message: /read in one step, ask a source in the next/ })
  assert.equal(await asked(), 1)
})

test('a run that may not read a source can have it asked and learns nothing of what it says', async (t) => {
  const low = await house(t, [leads], { readsUpTo: 1 })
  const open = await house(t, [leads], { worker: 'open' })
  for (const { refresh, read, label } of [low, open]) {
    const before = label()
    assert.deepEqual(await refresh(), { source: 'leads', fetched: true, snapshot: null })
    await assert.rejects(read({ stale: 'allow' }), ({ code }) => code === 'source.level' || code === 'source.missing')
    assert.deepEqual(label(), before)
  }
  await assert.rejects(low.read(), { code: 'source.level', message: /set reads_up_to/ })
})

test('words that are not from a list are said by the open worker alone; any job reads what came of it', async (t) => {
  const free = [{ ...leads, params: [{ name: 'id', form: 'id' as const }], paramsUpTo: 1 as const }]
  const here = await house(t, free)
  await assert.rejects(here.refresh({ params: { id: 'x' } }), { kind: 'refused', code: 'source.worker', message: /worker: open/ })
  const open = await house(t, free, { worker: 'open' })
  assert.equal((await open.refresh({ params: { id: 7 } }))['fetched'], true)
})

test('text is text and bytes are base64', async (t) => {
  const text = await house(t, [{ ...leads, format: 'text' }])
  text.become('two\nlines')
  await text.refresh()
  assert.equal((await text.read())['content'], 'two\nlines')
  const bytes = await house(t, [{ ...leads, format: 'bytes' }])
  bytes.become('abc')
  await bytes.refresh()
  assert.equal((await bytes.read())['content'], 'YWJj')
})
