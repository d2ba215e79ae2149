import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createJobLog, type JobLogLine } from './job-log.ts'

function place(t: TestContext, options: { limit?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-job-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const failures: string[] = []
  const log = createJobLog({ folder, onFailure: (error) => failures.push(error.message), ...options })
  const path = (name: string) => join(folder, 'jobs', name)
  const lines = (name: string) => readFileSync(path(name), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as JobLogLine)
  return { folder, failures, log, path, lines }
}

const at = (second: number) => new Date(Date.UTC(2026, 2, 2, 9, 0, second)).toISOString()
const line = (message: string, second = 0, fields?: Record<string, unknown>): JobLogLine => ({ at: at(second), level: 'info', message, ...(fields && { fields }) })

test('each job has a file of its own, for its owner alone, with the lines in order', async (t) => {
  const { log, path, lines } = place(t)
  log.write('one', [line('a'), line('b')])
  log.write('two', [line('x')])
  log.write('one', [line('c')])
  log.write('quiet', [])
  await log.settled()
  assert.deepEqual([lines('one.jsonl').map(({ message }) => message), lines('two.jsonl').map(({ message }) => message)], [['a', 'b', 'c'], ['x']])
  assert.deepEqual(lines('one.jsonl')[0], { at: at(0), level: 'info', message: 'a' })
  assert.deepEqual([statSync(path('one.jsonl')).mode & 0o777, statSync(path('.')).mode & 0o777], [0o600, 0o700])
  assert.deepEqual(readdirSync(path('.')).sort(), ['one.jsonl', 'two.jsonl'])
})

test('a job cannot choose a file outside the folder', async (t) => {
  const { log, path } = place(t)
  log.write('../../etc/passwd', [line('a')])
  await log.settled()
  assert.deepEqual(readdirSync(path('.')), ['______etc_passwd.jsonl'])
})

test('secrets are taken out, and a line that is too long is cut', async (t) => {
  const { log, lines } = place(t)
  log.write('one', [line('the key is sk-abcdefghijklmnopqrstuvwx', 0, { password: 'p', count: 3 }), line('long', 0, { text: 'x'.repeat(100_000) })])
  await log.settled()
  const [secret, long] = lines('one.jsonl')
  assert.deepEqual([secret!.message, secret!.fields], ['the key is [redacted]', { password: '[redacted]', count: 3 }])
  assert.deepEqual(long, { at: at(0), level: 'info', message: 'long', cut: true })
})

test('a line that is not JSON is lost, and nothing else', async (t) => {
  const { log, lines, failures } = place(t)
  log.write('one', [line('big', 0, { n: 1n })])
  log.write('one', [line('fine')])
  await log.settled()
  assert.deepEqual([lines('one.jsonl').map(({ message }) => message), failures.length], [['fine'], 1])
})

test('a file that grows too large is put aside, over the one before', async (t) => {
  const { log, lines, path } = place(t, { limit: 1_000 })
  for (let n = 0; n < 60; n++) log.write('one', [line(`line ${n}`)])
  await log.settled()
  assert.deepEqual(readdirSync(path('.')).sort(), ['one.jsonl', 'one.jsonl.1'])
  for (const name of readdirSync(path('.'))) assert.ok(statSync(path(name)).size <= 1_000, name)
  const kept = [...lines('one.jsonl.1'), ...lines('one.jsonl')].map(({ message }) => Number(message.slice(5)))
  assert.deepEqual(kept, Array.from({ length: kept.length }, (_, place) => 60 - kept.length + place), 'the newest, without a gap')
  assert.ok(kept.length > 15)
})

test('a full disk is said once, holds up nothing, and is gone on after', { skip: !existsSync('/dev/full') && 'needs /dev/full' }, async (t) => {
  const { log, failures, lines, path } = place(t)
  mkdirSync(path('.'))
  symlinkSync('/dev/full', path('one.jsonl'))
  for (const message of ['a', 'b']) log.write('one', [line(message)])
  await log.settled()
  assert.equal(failures.length, 1)
  assert.match(failures[0]!, /ENOSPC/)
  rmSync(path('one.jsonl'))
  log.write('one', [line('c')])
  await log.settled()
  assert.deepEqual(lines('one.jsonl').map(({ message }) => message), ['c'])
})

test('what comes faster than the disk takes it is dropped instead of kept in memory', async (t) => {
  const { log, failures, lines } = place(t)
  const much = Array.from({ length: 80 }, () => line('x'.repeat(50_000)))
  log.write('one', much)
  log.write('one', much)
  await log.settled()
  assert.equal(lines('one.jsonl').length, 80)
  assert.match(failures[0]!, /dropped/)
  log.write('one', [line('later')])
  await log.settled()
  assert.equal(lines('one.jsonl').at(-1)!.message, 'later')
})

test('lines that are too old are removed, the rest stays, and an empty file goes', async (t) => {
  const { log, lines, path } = place(t, { limit: 150 })
  for (let second = 0; second < 4; second++) log.write('one', [line(`line ${second}`, second)])
  log.write('two', [line('old', 0)])
  await log.settled()
  assert.deepEqual([lines('one.jsonl.1').length, lines('one.jsonl').length], [2, 2])
  await log.prune(new Date(at(3)))
  assert.deepEqual(readdirSync(path('.')), ['one.jsonl'])
  assert.deepEqual(lines('one.jsonl').map(({ message }) => message), ['line 3'])
})
