import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { runUp } from './run-up.ts'
import type { Up } from './up.ts'

const house = { folder: '/srv/house', jobs: [], settings: { name: 'Ada', ports: { server: 7400, releaser: 7401, webhooks: null }, signing: { origin: null, rpId: null } } }
const chosen = { house, jobs: [], problems: [], fresh: true }

/** `up` without a house: what it is asked, and how it ends, is the test's. */
function desk(t: TestContext, running: Partial<Record<keyof Up, unknown>> = {}, starting: Promise<void> = Promise.resolve()) {
  const home = mkdtempSync(join(tmpdir(), 'castellan-run-up-'))
  t.after(() => rmSync(home, { recursive: true }))
  const said: string[] = []
  let reloads = 0
  const up = async () => {
    await starting
    return { isolation: { mode: 'demonstration', detail: '' }, processes: new Map(), house: () => chosen, settled: Promise.resolve(), stop: async () => void said.push('was stopped'), reload: async () => {
      reloads += 1
      return chosen
    }, ...running } as unknown as Up
  }
  const ended = (isWatched = true) => runUp({ home, isWatched, write: (line) => void said.push(line), start: up })
  const until = async (pattern: RegExp) => {
    while (!pattern.test(said.join('\n'))) await delay(5)
  }
  return { home, said, ended, until, reloads: () => reloads }
}

test('a house that cannot be read again stays what it is, and says why', { timeout: 10_000 }, async (t) => {
  const { ended, until } = desk(t, { reload: async () => Promise.reject(new Error('there is no house at /srv/house')) })
  const end = ended()
  await until(/castellan today/)
  process.kill(process.pid, 'SIGHUP')
  await until(/could not be read again: there is no house at \/srv\/house/)
  process.kill(process.pid, 'SIGTERM')
  await end
})

test('who is told to read the house again while it still starts does so afterwards, and does not die of it', { timeout: 10_000 }, async (t) => {
  const starting = Promise.withResolvers<void>()
  const { ended, until, reloads } = desk(t, {}, starting.promise)
  const end = ended()
  process.kill(process.pid, 'SIGHUP')
  await delay(20)
  starting.resolve()
  await until(/the house was read again/)
  assert.equal(reloads(), 1)
  process.kill(process.pid, 'SIGTERM')
  await end
})

test('a first key that could not be enrolled is told, and stops nothing', { timeout: 10_000 }, async (t) => {
  const { ended, until, said } = desk(t, { settled: Promise.reject(new Error('the demonstration key could not be enrolled')) })
  const end = ended()
  await until(/the demonstration key could not be enrolled/)
  await until(/castellan today/)
  assert.ok(!said.includes('was stopped'))
  process.kill(process.pid, 'SIGTERM')
  await end
  assert.ok(said.includes('was stopped'))
})

test('a link that signs in is shown to who looks at a terminal, and stands in no log', { timeout: 10_000 }, async (t) => {
  for (const isWatched of [true, false]) {
    const { home, said, ended, until } = desk(t)
    const server = createServer((_request, response) => response.end(JSON.stringify({ ok: true, data: { url: 'http://127.0.0.1:7400/signin#word' } })))
    await new Promise<void>((resolve) => server.listen(join(home, 'socket'), resolve))
    writeFileSync(join(home, 'up.json'), JSON.stringify({ pid: process.pid, sockets: { server: join(home, 'socket') } }))
    const end = ended(isWatched)
    await until(/castellan today/)
    assert.equal(said.some((line) => line.includes('#word')), isWatched)
    assert.ok(isWatched || said.some((line) => line.includes('castellan signin')))
    process.kill(process.pid, 'SIGTERM')
    await end
    server.close()
  }
})
