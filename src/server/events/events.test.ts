import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { AddressInfo } from 'node:net'
import { signedInBrowser } from '../../../test/support/browser.ts'
import { jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { testServer, type TestServer } from '../../../test/support/server.ts'
import type { LogLine, OpenedRun, RunDetail } from '../api.ts'
import { createLoopbackApp } from '../index.ts'

const two = jobDefinition({ name: 'two', steps: [stepDefinition('a'), stepDefinition('b')] })

interface Event {
  id: string | undefined
  event: string
  data: unknown
}

/** A house that a page listens to over real HTTP, and how to listen. */
async function listening(t: TestContext, options: { heartbeatMs?: number; stopping?: AbortSignal } = {}) {
  const server = await testServer(t, [two])
  let address = ''
  const stopping = new AbortController()
  const loopback = createLoopbackApp({ ...server.deps, stopping: stopping.signal, pollMs: 25, ...options, origin: () => address, pages: '/nowhere' })
  await loopback.listen({ host: '127.0.0.1', port: 0 })
  const { port } = loopback.server.address() as AddressInfo
  address = `http://127.0.0.1:${port}`
  const listeners: AbortController[] = []
  t.after(async () => {
    for (const gone of listeners) gone.abort()
    stopping.abort()
    await loopback.close()
  })
  const { cookie } = await signedInBrowser(server)
  const headers = { cookie: cookie.replace('7400', String(port)) }

  async function listen(path: string, lastEventId?: string) {
    const gone = new AbortController()
    listeners.push(gone)
    const response = await fetch(`${address}/api${path}`, { signal: gone.signal, headers: { ...headers, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) } })
    return { status: response.status, headers: response.headers, events: response.status === 200 ? events(response.body!) : undefined, leave: () => gone.abort() }
  }
  return { server, listen, stop: () => stopping.abort() }
}

/** What arrives, one by one; comments as events named `:`. Ends with the stream. */
async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<Event, void> {
  let text = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')) || ':', line.slice(line.indexOf(':') + 1).trim()]))
      yield { id: fields.id, event: fields.event ?? ':', data: fields.data === undefined ? undefined : JSON.parse(fields.data) }
    }
  }
}

async function take(from: AsyncGenerator<Event, void>, until: (event: Event) => boolean): Promise<Event[]> {
  const taken: Event[] = []
  for (;;) {
    const { value, done } = await from.next()
    if (done) throw new Error(`the stream ended after ${JSON.stringify(taken)}`)
    taken.push(value)
    if (until(value)) return taken
  }
}

async function rest(from: AsyncGenerator<Event, void>): Promise<Event[]> {
  const taken: Event[] = []
  for (let next = await from.next(); !next.done; next = await from.next()) taken.push(next.value)
  return taken
}

const messages = (list: Event[]) => list.filter(({ event }) => event === 'log').map(({ data }) => (data as LogLine).message)
const states = (list: Event[]) => list.filter(({ event }) => event === 'run').map(({ data }) => (data as RunDetail).state)
const open = async (server: TestServer) => (await server.post<OpenedRun>('/api/jobs/two/run')).data.id

test('a page hears of each step and line of a run, and the stream ends with it', async (t) => {
  const { server, listen } = await listening(t)
  const run = await open(server)
  const { events, headers } = await listen(`/runs/${run}/events`)
  assert.match(headers.get('content-type')!, /^text\/event-stream/)
  assert.match(headers.get('content-security-policy')!, /default-src 'none'/)
  assert.deepEqual(states(await take(events!, ({ event }) => event === 'run')), ['queued'])
  await server.execute(run, { log: 'first' }, { log: 'second' })
  const all = await rest(events!)
  assert.deepEqual([messages(all), states(all).at(-1)], [['first', 'second'], 'succeeded'])
})

test('who comes back with the last id misses nothing and hears nothing twice, wherever the stream broke', async (t) => {
  const { server, listen } = await listening(t)
  const run = await open(server)
  const begun = await listen(`/runs/${run}/events`)
  const [first] = await take(begun.events!, ({ event }) => event === 'run')
  begun.leave()
  await server.execute(run, { log: 'one' }, { log: 'two' })

  const whole = await rest((await listen(`/runs/${run}/events`, first!.id)).events!)
  assert.deepEqual([messages(whole), states(whole)], [['one', 'two'], ['succeeded']])
  for (const [index, { id }] of whole.entries()) {
    const again = await listen(`/runs/${run}/events`, id)
    const left = whole.slice(index + 1)
    if (left.length === 0) assert.equal(again.status, 204, 'a browser that has all is told to stop')
    else assert.deepEqual(await rest(again.events!), left)
  }
  const unknown = await rest((await listen(`/runs/${run}/events`, 'nonsense')).events!)
  assert.deepEqual([messages(unknown), states(unknown)], [['one', 'two'], ['succeeded']])
})

test('what is P3 is left out of the stream', async (t) => {
  const { server, listen } = await listening(t)
  const run = await open(server)
  const local = { level: 3, integrity: 'untrusted', lanes: [] } as const
  await server.execute(run, { log: 'SECRET line', label: local, output: { said: 'SECRET' } }, { label: local, output: { said: 'SECRET' } })
  const all = await rest((await listen(`/runs/${run}/events`)).events!)
  assert.doesNotMatch(JSON.stringify(all), /SECRET/)
  assert.deepEqual(all.filter(({ event }) => event === 'log').map(({ data }) => (data as LogLine).withheld), [true])
  assert.equal((all.at(-1)!.data as RunDetail).steps.every((step) => step.withheld), true)
})

test('a page is told which of what it shows to ask for again', async (t) => {
  const { server, listen } = await listening(t)
  const { events } = await listen('/events')
  const topic = (wanted: string) => take(events!, ({ data }) => (data as { topic: string }).topic === wanted)
  await server.post('/api/jobs/two/pause')
  await topic('jobs')
  await open(server)
  await topic('runs')
  await server.database.owner.pool.query("insert into process (name, state, isolation) values ('gate-local', 'backoff', 'x')")
  await topic('house')
})

test('a change that commits late is not missed: its event has a low number', async (t) => {
  const { server, listen } = await listening(t)
  const committed = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const slow = server.database.owner.transaction(async (client) => {
    await client.query("select audit_write('draft.frozen', 'x', '{}')")
    begun.resolve()
    await committed.promise
  })
  await begun.promise
  const { events } = await listen('/events')
  await server.post('/api/jobs/two/pause')
  const told = await take(events!, ({ data }) => (data as { topic: string }).topic === 'jobs').finally(() => committed.resolve())
  assert.ok(!JSON.stringify(told).includes('drafts'))
  await slow
  await take(events!, ({ data }) => (data as { topic: string }).topic === 'drafts')
})

test('a stream beats, and ends for who has signed out', async (t) => {
  const { server, listen } = await listening(t, { heartbeatMs: 20 })
  const { events } = await listen('/events')
  await take(events!, ({ event }) => event === ':')
  const [session] = (await server.get<{ id: string }[]>('/api/sessions')).data
  await server.post(`/api/sessions/${session!.id}/revoke`)
  assert.ok((await rest(events!)).every(({ event, data }) => event === ':' || (data as { topic: string }).topic === 'house'))
})

test('streams are bounded, and one that is closed makes room', async (t) => {
  const { listen } = await listening(t)
  const open = await Promise.all(Array.from({ length: 64 }, () => listen('/events')))
  assert.equal((await listen('/events')).status, 503)
  open[0]!.leave()
  let status = 503
  while (status === 503) status = (await listen('/events')).status
  assert.equal(status, 200)
})

test('streams end when the server stops', async (t) => {
  const { server, listen, stop } = await listening(t)
  const run = await open(server)
  const [all, one] = [await listen('/events'), await listen(`/runs/${run}/events`)]
  stop()
  await Promise.all([rest(all.events!), rest(one.events!)])
})

test('a run that is not there is an error, and no stream', async (t) => {
  const { listen } = await listening(t)
  assert.equal((await listen('/runs/01980000-0000-7000-8000-000000000000/events')).status, 404)
})
