import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { FastifyReply } from 'fastify'
import { hungUp } from './wait-for-run.ts'

test('who has hung up before he is waited for is not waited for', async (t) => {
  const arrived = Promise.withResolvers<ServerResponse>()
  const server = createServer((_request, response) => arrived.resolve(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const asked = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }).on('error', () => {})
  asked.end()
  const raw = await arrived.promise
  const reply = { raw } as unknown as FastifyReply
  const early = hungUp(reply)
  assert.equal(early.aborted, false)
  const gone = once(raw, 'close')
  asked.destroy()
  await gone
  assert.deepEqual([early.aborted, hungUp(reply).aborted], [true, true])
})
