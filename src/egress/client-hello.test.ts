import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { test } from 'node:test'
import fc from 'fast-check'
import { processorTime } from '../../test/support/processor-time.ts'
import { readClientHello } from './client-hello.ts'

/** What a real client says first. */
async function helloOf(servername: string): Promise<Buffer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const first = new Promise<Buffer>((resolve) => server.once('connection', (socket) => socket.once('data', (bytes) => {
    socket.destroy()
    resolve(bytes)
  })))
  const client = connectTls({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, servername })
  client.on('error', () => {})
  const bytes = await first
  client.destroy()
  server.close()
  return bytes
}

const hello = await helloOf('api.example.org')

/** The same message in records of at most `size` bytes. */
function inRecords(bytes: Buffer, size: number): Buffer {
  const message = bytes.subarray(5)
  const records = []
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size)
    records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece)
  }
  return Buffer.concat(records)
}

/** A hello with these extensions, each a kind and its bytes, and nothing else of interest. */
function made(extensions: readonly (readonly [kind: number, bytes: Buffer])[], extra = 0): Buffer {
  const list = Buffer.concat(extensions.flatMap(([kind, bytes]) => [uint16(kind), uint16(bytes.length), bytes]))
  const body = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32), Buffer.from([0]), uint16(2), Buffer.from([0x13, 0x01]), Buffer.from([1, 0]), uint16(list.length + extra), list])
  const message = Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body])
  return Buffer.concat([Buffer.from([22, 3, 1]), uint16(message.length), message])
}

const uint16 = (value: number) => Buffer.from([value >> 8, value & 255])
const names = (...hosts: string[]) => {
  const list = Buffer.concat(hosts.flatMap((host) => [Buffer.from([0]), uint16(host.length), Buffer.from(host, 'latin1')]))
  return Buffer.concat([uint16(list.length), list])
}

test('the host that a real client names is read, with whatever follows, and in however many records it comes', () => {
  for (const bytes of [hello, Buffer.concat([hello, Buffer.from('early')]), inRecords(hello, 1), inRecords(hello, 100)]) {
    assert.deepEqual(readClientHello(bytes), { says: 'host', host: 'api.example.org' })
  }
})

test('a part of it says nothing yet', () => {
  for (const bytes of [hello, inRecords(hello, 60)]) {
    for (let length = 0; length < bytes.length; length++) assert.deepEqual(readClientHello(bytes.subarray(0, length)), { says: 'more' }, String(length))
  }
})

test('what is no ClientHello is refused at its first byte that tells', () => {
  for (const bytes of ['GET / HTTP/1.1\r\n', 'SSH-2.0-x', '\x16\x02', '\x17\x03\x03', '\x16\x03\x01\x00\x00', '\x16\x03\x01\xff\xff', '\x16\x03\x01\x00\x04\x02']) {
    assert.deepEqual(readClientHello(Buffer.from(bytes, 'latin1')), { says: 'refused', reason: 'no_tls' }, bytes)
  }
})

test('a hello in thousands of tiny records costs no more to read than it is long, and is cut off where a hello ends', () => {
  // 32 kB that never become whole, a byte a record, as a command would send them to keep the reader from everything else
  const message = Buffer.alloc(4 + 32_768)
  message[0] = 1
  message.writeUIntBE(32_768, 1, 3)
  const bytes = inRecords(Buffer.concat([Buffer.alloc(5), message]), 1)
  const took = processorTime(() => {
    assert.deepEqual(readClientHello(bytes.subarray(0, 32_000)), { says: 'more' })
    assert.deepEqual(readClientHello(bytes.subarray(0, 60_000)), { says: 'refused', reason: 'no_tls' })
  })
  assert.ok(took < 1_000, `${took} ms`)
})

test('a hello without a name, with two, or with one that hides is refused', () => {
  const cases: [Buffer, string][] = [
    [made([]), 'sni'], [made([[0, names()]]), 'sni'], [made([[0, names('api.example.org', 'other.example.org')]]), 'sni'],
    [made([[0, names('api.example.org')], [0, names('other.example.org')]]), 'sni'],
    [made([[0, names('api.example.org')], [0xfe0d, Buffer.from([0])]]), 'hidden'], [made([[0xffce, Buffer.alloc(4)], [0, names('api.example.org')]]), 'hidden'],
    [made([[0, names('api.example.org')]], 1), 'no_tls'],
  ]
  for (const [bytes, reason] of cases) assert.deepEqual(readClientHello(bytes), { says: 'refused', reason })
  assert.deepEqual(readClientHello(made([[0, names('api.example.org')]])), { says: 'host', host: 'api.example.org' })
  // a null byte ends no name: it is a part of it, and so another one
  assert.deepEqual(readClientHello(made([[0, names('api.example.org\0.evil.test')]])), { says: 'host', host: 'api.example.org\0.evil.test' })
})

test('no bytes make it fall, and none without the declared name in it are taken for that name', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(hello.length - 1), (noise, at) => {
    const altered = Buffer.from(hello)
    altered.set(noise.subarray(0, hello.length - at), at)
    for (const bytes of [Buffer.from(noise), altered]) {
      const read = readClientHello(bytes)
      if (read.says === 'host' && read.host === 'api.example.org') assert.ok(bytes.includes('api.example.org'))
    }
  }), { numRuns: 500 })
})
