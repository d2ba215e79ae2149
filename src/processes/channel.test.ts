import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

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
