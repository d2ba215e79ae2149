import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Refusal } from './destination.ts'
import { openEgressProxy, type EgressOptions } from './proxy.ts'

/** A server that counts, and says back what it hears. */
async function echo(t: TestContext) {
  const heard: Buffer[] = []
  const server = createServer((socket) => {
    heard.push(Buffer.alloc(0))
    const at = heard.length - 1
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard[at] = Buffer.concat([heard[at]!, bytes])
      socket.write(bytes)
    })
    t.after(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, heard }
}

async function opened(t: TestContext, options: Partial<EgressOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-proxy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'socket')
  const { port, heard } = await echo(t)
  const refused: [string, Refusal][] = []
  const rows: Record<string, unknown>[] = []
  const proxy = await openEgressProxy(path, {
    destinations: [{ host: 'api.example.org', port }], isPrivate: true, lookup: async () => ['127.0.0.1'],
    ledger: {
      opened: async ({ host }) => String(rows.push({ host }) - 1),
      closed: async (id, end) => void Object.assign(rows[Number(id)]!, end),
      refused: async (asked, reason) => void refused.push([asked, reason]),
    },
    ...options,
  })
  t.after(() => proxy.close())
  /** Says these bytes and hears what is answered, to the end or to `until`. */
  const say = (bytes: string | Buffer, until?: string): Promise<string> => new Promise((resolve) => {
    const socket = connect({ path }, () => socket.write(bytes))
    let answer = ''
    const done = () => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', (piece) => {
      answer += piece.toString('latin1')
      if (until !== undefined && answer.includes(until)) done()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
  const connectTo = (authority: string) => Buffer.from(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`, 'utf8')
  return { say, connectTo, path, port, heard, refused, rows, proxy }
}

/** The first bytes of a TLS client, through the CONNECT that it is allowed. */
function tlsThrough(path: string, authority: string, servername: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => socket.write(`CONNECT ${authority} HTTP/1.1\r\n\r\n`))
    socket.on('error', () => {})
    socket.once('data', (head) => {
      if (!head.toString().startsWith('HTTP/1.1 200')) return resolve(head.toString())
      const client = connectTls({ socket, servername })
      client.on('error', () => {})
    })
    socket.on('close', () => resolve('closed'))
    setTimeout(() => socket.destroy(), 1_000).unref()
  })
}

test('odd characters, null bytes, users, letters of other scripts and addresses in every spelling are refused, and nothing is connected', async (t) => {
  const { say, connectTo, port, refused, rows, heard } = await opened(t)
  const cases: [string, Refusal][] = [
    ['api.example.org', 'malformed'], [`user@api.example.org:${port}`, 'malformed'], [`api.example.org\0:${port}`, 'malformed'], [`api.example.org\0.evil.test:${port}`, 'malformed'],
    [`api.example.org:${port}:${port}`, 'malformed'], [`api.example.org:999999`, 'malformed'], [`:${port}`, 'malformed'], [`api.example.org:`, 'malformed'], [`api%2eexample.org:${port}`, 'malformed'],
    [`аpi.example.org:${port}`, 'malformed'], [`api。example.org:${port}`, 'malformed'], [`api.example.org:${port}/x`, 'malformed'], [`http://api.example.org:${port}`, 'malformed'],
    [`xn--pi-6kc.example.org:${port}`, 'host'], [`api.example.org.:${port}`, 'host'], [`.api.example.org:${port}`, 'host'], [`evil.test:${port}`, 'host'], [`api.example.org:${port ^ 1}`, 'port'],
    [`127.0.0.1:${port}`, 'literal'], [`[::1]:${port}`, 'literal'], [`[::ffff:127.0.0.1]:${port}`, 'literal'], [`127.1:${port}`, 'literal'], [`0x7f.1:${port}`, 'literal'], [`0x7f000001:${port}`, 'literal'], [`017700000001:${port}`, 'literal'], [`2130706433:${port}`, 'literal'], [`127.0.0.1.:${port}`, 'literal'],
  ]
  for (const [authority] of cases) assert.match(await say(connectTo(authority)), /^HTTP\/1\.1 40[03] /, authority)
  assert.deepEqual(refused.map(([, reason]) => reason), cases.map(([, reason]) => reason))
  assert.deepEqual([rows, heard], [[], []])
})

test('a name in capital letters is the same, and a letter that only becomes one of it is not', async (t) => {
  const { say, connectTo, port, refused } = await opened(t, { destinations: [{ host: 'kiosk.example.org', port: 1 }] })
  assert.match(await say(connectTo('KIOSK.example.org:2')), /x-castellan-reason: port/)
  assert.match(await say(connectTo(`\u212Aiosk.example.org:${port}`)), /^HTTP\/1\.1 400 /)
  assert.deepEqual(refused.map(([, reason]) => reason), ['port', 'malformed'])
})

test('requests that are no CONNECT are refused, whatever their method', async (t) => {
  const { say, port, refused, heard } = await opened(t)
  for (const request of [`GET http://api.example.org:${port}/a?word=private HTTP/1.1\r\nhost: x\r\n\r\n`, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', `POST http://api.example.org:${port}/ HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nword`, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n']) {
    assert.match(await say(request), /^HTTP\/1\.1 403 .*\r\n[^]*Only TLS leads out of here/, request)
  }
  assert.deepEqual(refused, [[`api.example.org:${port}`, 'plain'], ['', 'plain'], [`api.example.org:${port}`, 'plain'], ['', 'plain']])
  assert.deepEqual(heard, [])
})

test('after CONNECT only TLS for that host comes through', async (t) => {
  const { say, connectTo, path, port, heard, rows, proxy } = await opened(t)
  const authority = `api.example.org:${port}`
  await say(Buffer.concat([connectTo(authority), Buffer.from('GET /private HTTP/1.1\r\nhost: api.example.org\r\n\r\n')]))
  await tlsThrough(path, authority, 'other.example.org')
  assert.equal(Buffer.concat(heard).length, 0)
  await tlsThrough(path, authority, 'api.example.org')
  assert.ok(Buffer.concat(heard).includes('api.example.org'))
  await proxy.close()
  assert.deepEqual(rows.map(({ up }) => Number(up) > 0), [false, false, true])
  assert.deepEqual(rows.slice(0, 2).map(({ outcome }) => outcome), ['no_tls', 'sni'])
})

test('a ledger that cannot be written connects nothing', async (t) => {
  const { say, connectTo, port, heard } = await opened(t, { ledger: { opened: async () => { throw new Error('the database is away') }, closed: async () => {}, refused: async () => {} } })
  assert.equal(await say(connectTo(`api.example.org:${port}`)), '')
  assert.deepEqual(heard, [])
})

test('a run asks for so many connections, and no more; the ledger does not grow with what it asks beyond', async (t) => {
  const { say, connectTo, refused } = await opened(t, { limits: { connections: 3 } })
  for (let time = 0; time < 9; time++) assert.match(await say(connectTo('evil.test:1')), /^HTTP\/1\.1 403 /)
  assert.deepEqual(refused.map(([, reason]) => reason), ['host', 'host', 'host', 'limit'])
})

test('a client that says nothing is not waited for, and closing ends what is open', async (t) => {
  const quick = await opened(t, { limits: { connectMs: 100 } })
  await quick.say(quick.connectTo(`api.example.org:${quick.port}`))
  await quick.proxy.close()
  assert.deepEqual(quick.rows.map(({ outcome }) => outcome), ['no_tls'])
  const slow = await opened(t)
  const waiting = slow.say(slow.connectTo(`api.example.org:${slow.port}`))
  await slow.say(slow.connectTo(`api.example.org:${slow.port}`), '200 Connection')
  await slow.proxy.close()
  await waiting
  assert.ok(slow.rows.every(({ outcome }) => outcome === 'ended' || outcome === 'no_tls'), JSON.stringify(slow.rows))
})

test('a host that cannot be found or does not answer is said to be so, and may be asked again', async (t) => {
  let answers = 0
  const { say, connectTo, port, refused, rows } = await opened(t, { lookup: async () => {
    answers += 1
    if (answers === 1) throw Object.assign(new Error('no'), { code: 'EAI_AGAIN' })
    return ['127.0.0.1']
  } })
  assert.match(await say(connectTo(`api.example.org:${port}`)), /^HTTP\/1\.1 502 /)
  assert.match(await say(connectTo(`api.example.org:${port}`), '200 Connection'), /^HTTP\/1\.1 200 /)
  assert.deepEqual([refused.map(([, reason]) => reason), rows.length, answers], [['unresolved'], 1, 2])
})
