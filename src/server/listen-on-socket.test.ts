import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { Fault } from '../kernel/fault.ts'
import { bareApp } from './bare-app.ts'
import { listenOnSocket } from './listen-on-socket.ts'

function place(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-socket-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const app = bareApp(pino({ level: 'silent' }))
  t.after(() => app.close())
  return { folder, app, path: join(folder, 'socket') }
}

const code = (wanted: string) => (error: unknown) => error instanceof Fault && error.code === wanted

test('the socket is for its owner alone, in a folder that is too', async (t) => {
  const { app, path } = place(t)
  await listenOnSocket(app, path)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('a folder that others can enter is refused', async (t) => {
  const { app, path, folder } = place(t)
  chmodSync(folder, 0o750)
  await assert.rejects(listenOnSocket(app, path), code('socket.open'))
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
  await listenOnSocket(app, path)
  const other = place(t)
  writeFileSync(other.path, 'mine')
  await assert.rejects(listenOnSocket(other.app, other.path), code('socket.taken'))
})
