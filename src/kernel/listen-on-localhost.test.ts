import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { listenOnLocalhost } from './listen-on-localhost.ts'

const skip = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1')) ? false : 'this machine has no ::1'

test('a page at localhost answers on both addresses that a browser may take for it', { skip }, async (t) => {
  const app = fastify()
  app.get('/', async (request) => ({ port: request.socket.localPort }))
  const { port, close } = await listenOnLocalhost(app, 0, 'ports.releaser')
  t.after(() => app.close())
  for (const host of ['127.0.0.1', '[::1]']) {
    const response = await fetch(`http://${host}:${port}/`, { headers: { connection: 'close' } })
    assert.deepEqual(await response.json(), { port })
  }
  await close()
  await assert.rejects(fetch(`http://[::1]:${port}/`))
})

test('who listens on ::1 already would be taken for the page, so it does not start beside him', { skip }, async (t) => {
  const stranger = createServer()
  await new Promise<void>((resolve) => stranger.listen({ host: '::1', port: 0, ipv6Only: true }, resolve))
  t.after(() => stranger.close())
  const app = fastify()
  t.after(() => app.close())
  await assert.rejects(listenOnLocalhost(app, (stranger.address() as AddressInfo).port, 'ports.releaser'), { code: 'port.taken', message: /on ::1 is taken .* set `ports\.releaser`/ })
})
