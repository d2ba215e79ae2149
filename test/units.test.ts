import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { processNames, type ProcessName } from '../src/processes/boot.ts'
import { doorOf, homeKey, sharedRuntime } from '../src/processes/folders.ts'
import { chooseLauncher } from '../src/processes/isolation.ts'
import { entry, nodeFlags } from '../src/processes/process-specs.ts'
import { runningHouse } from './support/running-house.ts'

/** Where no source is declared, nobody reads. */
const wanted = processNames.filter((name) => name !== 'reader')

const skip = process.getuid?.() === 0 ? false : 'only root can give each process its own uid'

/** Knocks at doors, one after the other, and says what came of it. */
const knock = `
(async () => {
  for (const path of process.argv.slice(1)) {
    await new Promise((done) => {
      const socket = require('net').connect(path)
      socket.on('connect', () => { process.stdout.write('open '); socket.destroy(); done() })
      socket.on('error', (error) => { process.stdout.write(error.code + ' '); done() })
    })
  }
})()`

/** Starts processes as their units do: by user, without network where the unit has none, and again when they end with a failure. */
function units(t: TestContext) {
  const running = new Map<ProcessName, ChildProcess>()
  const output: string[] = []
  const ended: (readonly [ProcessName, number | null])[] = []
  let over = false
  t.after(() => {
    over = true
    for (const child of running.values()) child.kill('SIGKILL')
  })
  function start(home: string, name: ProcessName): void {
    const door = doorOf(join(sharedRuntime, homeKey(home)), name)
    const [program, ...args] = chooseLauncher(home).wrap(name, [process.execPath, ...nodeFlags(name), entry, name, door])
    const child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH! } })
    child.stderr.on('data', (text: Buffer) => output.push(text.toString()))
    child.on('exit', (code) => {
      ended.push([name, code])
      if (!over && code !== 0) start(home, name)
    })
    running.set(name, child)
  }
  return { running, output, ended, startAll: (home: string) => wanted.forEach((name) => start(home, name)) }
}

test('processes that are units come to the doors that `up` keeps, do the work, come back after a kill, and stay down once they were told to stop', { skip, timeout: 240_000 }, async (t) => {
  const started = units(t)
  const house = await runningHouse(t, { startUnits: started.startAll })
  assert.equal(house.up.isolation.mode, 'separate-uids')
  assert.deepEqual([...house.up.processes.values()].map(({ state }) => [state.state, state.reason]), wanted.map(() => ['ready', null]))
  for (const [name, child] of started.running) assert.equal(house.up.processes.get(name)!.pid, child.pid, name)

  const { id } = await house.call<{ id: string }>('server', 'POST', '/api/jobs/morning-mail/run', {})
  const { state } = await house.call<{ state: string }>('server', 'GET', `/api/runs/${id}?wait=60`)
  assert.equal(state, 'succeeded', started.output.join(''))

  for (const name of wanted) {
    const others = wanted.filter((other) => other !== name)
    const doors = others.map((other) => doorOf(join(sharedRuntime, homeKey(house.home)), other))
    const [program, ...args] = chooseLauncher(house.home).wrap(name, [process.execPath, '-e', knock, ...doors])
    assert.equal(execFileSync(program!, args).toString(), 'EACCES '.repeat(others.length), `${name} stands before the doors of others`)
  }

  const gate = house.up.processes.get('gate-local')!
  started.running.get('gate-local')!.kill('SIGKILL')
  while (gate.state.restarts === 0 || gate.state.state !== 'ready') await once(gate, 'state')
  assert.deepEqual(started.ended, [['gate-local', null]])

  await house.up.stop()
  while (started.ended.length < wanted.length + 1) await delay(20)
  assert.deepEqual(new Set(started.ended.slice(1).map(([, code]) => code)), new Set([0]))
})
