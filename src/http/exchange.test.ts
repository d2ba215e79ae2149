import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { openConnection } from './connection.ts'
import { exchange } from './exchange.ts'

/** Takes connections, and says nothing on them. */
async function silent(t: TestContext) {
  const heard: Buffer[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => heard.push(bytes))
    t.after(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { heard, url: `://api.example.org:${(server.address() as AddressInfo).port}/` }
}

const network = (lookup: () => Promise<string[]>) => ({ isPrivate: true, lookup })

test('a connection that is given up while its name is looked up is not made', { timeout: 5_000 }, async (t) => {
  const { url } = await silent(t)
  const given = new AbortController()
  const looked = network(async () => {
    given.abort()
    return ['127.0.0.1']
  })
  await assert.rejects(openConnection(new URL(`https${url}`), looked, { milliseconds: 60_000, signal: given.signal }), { code: 'http.try_again' })
})

test('a name server that does not answer is waited for no longer than a host that does not', { timeout: 5_000 }, async (t) => {
  const { url } = await silent(t)
  const waiting = openConnection(new URL(`http${url}`), network(() => new Promise(() => {})), { milliseconds: 50, signal: new AbortController().signal })
  await assert.rejects(waiting, { code: 'http.try_again', message: /did not answer in time/ })
})

test('what is given up before anything was said says nothing any more', { timeout: 5_000 }, async (t) => {
  const { url, heard } = await silent(t)
  const given = new AbortController()
  const sending = exchange({ method: 'POST', url: `http${url}`, headers: {}, body: Buffer.from('word') }, { network: network(async () => ['127.0.0.1']), signal: given.signal, commit: async () => given.abort() })
  await assert.rejects(sending, { code: 'http.try_again' })
  assert.deepEqual(heard, [])
})
