import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { openPool } from '../src/kernel/http-pool.ts'

// The least that a gateway in Node can be: Fastify takes the request and parses it, undici sends it on, the answer goes back as it comes.

const upstream = openPool(process.argv[2]!, { connections: 1_024 })
const app = fastify({ logger: false, bodyLimit: 20 * 2 ** 20 })

app.post('/v1/chat/completions', async (request, reply) => {
  const response = await upstream.request({
    method: 'POST', path: '/v1/chat/completions', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request.body),
  })
  return reply.status(response.statusCode).header('content-type', response.headers['content-type']).send(response.body)
})

await app.listen({ port: 0, host: '127.0.0.1' })
process.send!({ port: (app.server.address() as AddressInfo).port })
process.on('disconnect', () => process.exit(0))
