import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { fastify } from 'fastify'
import { hangUpWhenClosing } from './hang-up-when-closing.ts'
import { listenOnLocalhost } from './listen-on-localhost.ts'

async function served(t: TestContext) {
  const app = fastify({ forceCloseConnections: 'idle' })
  hangUpWhenClosing(app)
  const answer = Promise.withResolvers<string>()
  const asked = Promise.withResolvers<void>()
  app.get('/slow', () => {
    asked.resolve()
    return answer.promise
  })
  app.get('/', async () => 'here')
  const listening = await listenOnLocalhost(app, 0, 'ports.releaser')
  const close = () => Promise.all([listening.close(), app.close()])
  t.after(close)
  const open = async (host = '127.0.0.1'): Promise<Socket> => {
    const socket = connect(listening.port, host)
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    socket.on('error', () => {}) // half a request ends in a reset
    return socket
  }
  return { open, close, answer, asked: asked.promise }
}

const closed = (socket: Socket) => new Promise<unknown>((resolve) => socket.resume().once('close', resolve))

test('a connection on which nothing or only half a request was asked does not keep a server from closing', { timeout: 10_000 }, async (t) => {
  const { open, close } = await served(t)
  const [silent, second, half] = [await open(), await open('::1'), await open()]
  half.write('GET / HTTP/1.1\r\nHost: loc')
  const ended = Promise.all([silent, second, half].map(closed))
  await close()
  await ended
})

test('what is being answered is answered to its end, and then its connection ends', { timeout: 10_000 }, async (t) => {
  const { open, close, answer, asked } = await served(t)
  const socket = await open()
  let received = ''
  socket.on('data', (chunk) => (received += chunk))
  const ended = closed(socket)
  socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await asked
  const closing = close()
  answer.resolve('the end')
  await Promise.all([closing, ended])
  assert.match(received, /^HTTP\/1\.1 200 [^]*the end$/)
})
