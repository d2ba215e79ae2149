import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createLogger } from '../kernel/log.ts'
import { attachTo } from './attach.ts'
import { AttachedProcess } from './attached-process.ts'
import type { Boot } from './boot.ts'
import type { Channel } from './channel.ts'
import { createHost } from './host.ts'
import type { ProcessState } from './supervise.ts'

function attached(t: TestContext, patience = 60_000, mode = 0o700) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-door-'))
  const door = join(folder, 'door', 'socket')
  mkdirSync(join(folder, 'door'))
  chmodSync(join(folder, 'door'), mode)
  const child = new AttachedProcess({ name: 'releaser', door, boot: () => ({ process: 'releaser' }) as Boot }, createLogger({ name: 'test', destination: join(folder, 'up.log') }), patience)
  t.after(async () => {
    await child.stop(0)
    rmSync(folder, { recursive: true })
  })
  return { child, door }
}

async function until(child: AttachedProcess, state: ProcessState['state']): Promise<ProcessState> {
  while (child.state.state !== state) await once(child, 'state')
  return child.state
}

test('who comes to the door is told the boot message, and what it says reaches up', async (t) => {
  const { child, door } = attached(t)
  const coming = attachTo(door)
  child.start()
  const { boot, channel } = await coming
  assert.equal(boot.process, 'releaser')
  const host = createHost(channel)
  const woken = once(child, 'wake')
  host.wake('server')
  assert.deepEqual(await woken, ['releaser', 'server'])
  child.on('request', (what, reply) => reply({ ok: true, data: what }))
  assert.deepEqual(await host.request('reload'), { ok: true, data: 'reload' })
  host.ready()
  assert.deepEqual({ ...(await until(child, 'ready')), reason: null }, { name: 'releaser', state: 'ready', pid: process.pid, restarts: 0, reason: null })
})

test('a second of the same name is told nothing while the first is there', async (t) => {
  const { child, door } = attached(t)
  child.start()
  const { channel } = await attachTo(door)
  await assert.rejects(attachTo(door), { code: 'attach.refused' })
  channel.send({ type: 'ready' })
  await until(child, 'ready')
})

test('a process that was told to stop ends with 0 and stays down; one that lost up ends with a failure, so that its unit starts it again', async (t) => {
  const { child, door } = attached(t)
  const exitOf = (channel: Channel) => new Promise<number>((resolve) => createHost(channel).onStop(async (_deadline, exit) => resolve(exit)))
  child.start()
  const { channel } = await attachTo(door)
  const told = exitOf(channel)
  await child.stop(0)
  assert.equal(await told, 0)

  const second = attached(t)
  second.child.start()
  const { channel: other } = await attachTo(second.door)
  const lost = exitOf({ ...other, onMessage: () => {} })
  await second.child.stop(0) // it does not hear of it, and its line is cut
  assert.equal(await lost, 75)
})

test('one that does not come, or does not come back, counts as given up, and is welcome later', async (t) => {
  const { child, door } = attached(t, 1)
  child.start()
  assert.match((await until(child, 'crashed')).reason!, /systemctl status castellan-releaser/)
  const socket = connect(door)
  await until(child, 'starting')
  socket.destroy()
  assert.match((await until(child, 'crashed')).reason!, /did not come back/)
})

test('what is no message, or never ends, is cut off and changes nothing', async (t) => {
  const { child, door } = attached(t)
  child.start()
  await until(child, 'starting')
  for (const said of ['no json\n', '1\n', 'x'.repeat(70_000)]) {
    const socket = connect(door)
    socket.on('error', () => {})
    socket.resume().write(said)
    await once(socket, 'close')
  }
  const { channel } = await attachTo(door)
  channel.send({ type: 'ready' })
  await until(child, 'ready')
})

test('a door that others could enter is not opened', async (t) => {
  const { child } = attached(t, 60_000, 0o755)
  child.start()
  assert.match((await until(child, 'crashed')).reason!, /lets other users in/)
})

test('one that is to start anew is cut off, and is told everything again when its unit brings it back', async (t) => {
  const { child, door } = attached(t)
  child.start()
  const { channel } = await attachTo(door)
  channel.send({ type: 'ready' })
  await until(child, 'ready')
  const cut = new Promise<void>((resolve) => channel.onClose(resolve))
  await child.restart()
  await cut
  assert.equal(child.state.state, 'backoff')
  const { boot, channel: again } = await attachTo(door)
  assert.equal(boot.process, 'releaser')
  again.send({ type: 'ready' })
  assert.equal((await until(child, 'ready')).restarts, 1)
})

test('who waited too long before a door that nobody opens is told whom to look for', async (t) => {
  await assert.rejects(attachTo(attached(t).door, 0), { code: 'attach.nobody', message: /systemctl status castellan/ })
})
