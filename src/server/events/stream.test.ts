import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { FastifyReply } from 'fastify'
import { createStreams } from './stream.ts'

test('who has left before the stream begins takes nobody a place', async (t) => {
  const streams = createStreams({ stopping: new AbortController().signal, most: 1 })
  const arrived = Promise.withResolvers<ServerResponse>()
  const server = createServer((_request, response) => arrived.resolve(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const asked = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }).on('error', () => {})
  asked.end()
  const raw = await arrived.promise
  const gone = once(raw, 'close')
  asked.destroy()
  await gone
  const reply = { raw, hijack() {}, getHeaders: () => ({}) } as unknown as FastifyReply
  const open = () => streams.open(reply, async () => true)
  assert.equal(open().ended.aborted, true)
  assert.equal(open().ended.aborted, true, 'the only place is free')
})
