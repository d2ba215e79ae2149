import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { test } from 'node:test'
import { entry } from './process-specs.ts'

/** A process that listens late, as one does that loads its code and waits for the database first. */
const late = `
import { inheritedChannel } from ${JSON.stringify(new URL('channel.ts', import.meta.url).href)}
while (process.connected) await new Promise((resolve) => setTimeout(resolve, 5))
inheritedChannel().onClose(() => process.exit(7))
setTimeout(() => process.exit(1), 2_000)`

test('a process whose `up` went away while it was still starting hears of it, and does not stay behind', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', late], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  child.disconnect()
  assert.deepEqual(await once(child, 'exit'), [7, null])
})

test('a process that waits for a database which went with its `up` ends as well', { timeout: 30_000 }, async (t) => {
  const child = spawn(process.execPath, [entry, 'gate-local'], { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'ipc'] })
  t.after(() => child.kill('SIGKILL'))
  const boot = { process: 'gate-local', database: { host: '/run/no-database-of-castellan', port: 5432, database: 'castellan', user: 'castellan_gate_local', password: '' } }
  ;(child.stdio[3] as Writable).end(JSON.stringify(boot))
  await once(child.stderr!, 'data') // it says that it waits
  child.disconnect()
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
