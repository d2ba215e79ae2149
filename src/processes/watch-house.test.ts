import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { testDatabase } from '../../test/support/database.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { listAlerts } from '../health/index.ts'
import type { ProcessName } from './boot.ts'
import { SupervisedProcess, type ProcessSpec } from './supervise.ts'
import { watchHouse } from './watch-house.ts'

const log = pino({ level: 'silent' })

async function watched(t: TestContext, processes: ReadonlyMap<ProcessName, Pick<SupervisedProcess, 'on'>>, mode: 'demonstration' | 'separate-uids' = 'separate-uids') {
  const db = await testDatabase(t)
  return {
    watch: () => watchHouse({ database: { owner: db.owner, pid: () => 1, logFile: undefined }, processes, isolation: { mode, detail: '' }, log }),
    alerts: async () => (await listAlerts(db.as('castellan_server'), 'all', 10)).map(({ kind, subject, level, state }) => `${kind} ${subject} ${level} ${state}`),
  }
}

test('a real process that dies again and again is a warning, and critical when it is given up', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'dies.mjs'), 'process.exit(3)')
  const spec: ProcessSpec = {
    name: 'server', command: [process.execPath, join(folder, 'dies.mjs')], environment: {}, logFile: join(folder, 'log'), boot: () => ({}) as never,
  }
  const child = new SupervisedProcess(spec, { crashes: 4, windowMs: 60_000, backoffMs: [1] }, log)
  const { watch, alerts } = await watched(t, new Map([['server', child]]))
  const end = watch()
  const given = new Promise<void>((resolve) => child.on('state', ({ state }) => state === 'crashed' && resolve()))
  child.start()
  await given
  await end()
  assert.deepEqual(await alerts(), ['process.down server critical open', 'process.crashing server warning open'])
})

test('one death is no alert; a process that was given up and is ready again is over by itself', async (t) => {
  const child = new EventEmitter()
  const { watch, alerts } = await watched(t, new Map([['releaser', child as SupervisedProcess]]))
  const [enter, end] = [(state: string) => child.emit('state', { name: 'releaser', state }), watch()]
  enter('backoff')
  enter('ready')
  enter('crashed')
  await end()
  assert.deepEqual(await alerts(), ['process.down releaser critical open'])
  const again = watch()
  enter('ready')
  await again()
  assert.deepEqual(await alerts(), ['process.down releaser critical closed'])
})

test('a demonstration informs for as long as it is one', async (t) => {
  const db = await watched(t, new Map(), 'demonstration')
  await db.watch()()
  assert.deepEqual(await db.alerts(), ['isolation.demonstration processes info open'])
})
