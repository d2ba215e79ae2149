import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fastify } from 'fastify'
import { listenOnLoopback, listenOnSocket } from './listen.ts'

function place(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-socket-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const app = fastify()
  t.after(() => app.close())
  return { folder, app, path: join(folder, 'socket') }
}

test('a socket for its owner is so by itself, one for a group is guarded by its folder', async (t) => {
  for (const [mayEnter, mode] of [['owner', 0o600], ['group', 0o666]] as const) {
    const { app, path } = place(t)
    await listenOnSocket(app, path, mayEnter)
    assert.equal(statSync(path).mode & 0o777, mode, mayEnter)
  }
})

test('a folder that lets more in than it should is refused', async (t) => {
  for (const [mayEnter, refused, fine] of [['owner', [0o750, 0o710, 0o701, 0o777], 0o700], ['group', [0o750, 0o730, 0o711, 0o714], 0o710]] as const) {
    const { app, path, folder } = place(t)
    for (const mode of refused) {
      chmodSync(folder, mode)
      await assert.rejects(listenOnSocket(app, path, mayEnter), { code: 'socket.open' }, `${mayEnter} ${mode.toString(8)}`)
    }
    chmodSync(folder, fine)
    await listenOnSocket(app, path, mayEnter)
  }
})

test('a socket that a killed server left is replaced, anything else is not', async (t) => {
  const { app, path } = place(t)
  await new Promise<void>((resolve) => {
    const left = createServer().listen(path, () => {
      // a killed process does not remove its socket
      left.unref()
      resolve()
    })
  })
  await listenOnSocket(app, path, 'owner')
  const other = place(t)
  writeFileSync(other.path, 'mine')
  await assert.rejects(listenOnSocket(other.app, other.path, 'owner'), { code: 'socket.taken' })
})

test('any free port is told, and a port that is taken is said to be, with the setting that mends it', async (t) => {
  const { app } = place(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await assert.rejects(listenOnLoopback(app, port, 'ports.server'), (error: Error) => error.message.includes(`port ${port}`) && error.message.includes('ports.server'))
  const free = place(t)
  assert.match(await listenOnLoopback(free.app, 0, 'ports.server'), /^http:\/\/127\.0\.0\.1:\d+$/)
})
