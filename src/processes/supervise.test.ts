import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createLogger } from '../kernel/log.ts'
import type { Boot } from './boot.ts'
import { SupervisedProcess, type ProcessState } from './supervise.ts'

const folder = mkdtempSync(join(tmpdir(), 'castellan-supervise-'))
after(() => rmSync(folder, { recursive: true }))

const ready = "process.send({type:'ready'});process.on('message',(m)=>m.type==='stop'&&process.exit(0));process.on('disconnect',()=>process.exit(0))"

function supervised(script: string, limits = { crashes: 5, windowMs: 60_000, backoffMs: [1] }, boot = () => ({ process: 'server' }) as Boot): SupervisedProcess {
  return new SupervisedProcess(
    {
      name: 'server',
      command: [process.execPath, '-e', script],
      environment: { PATH: process.env.PATH! },
      logFile: join(folder, 'server.log'),
      boot,
    },
    limits,
    createLogger({ name: 'test', destination: join(folder, 'up.log') }),
  )
}

async function until(child: SupervisedProcess, state: ProcessState['state']): Promise<ProcessState> {
  while (child.state.state !== state) await once(child, 'state')
  return child.state
}

test('a process reads its boot message from a pipe and is ready when it says so', async () => {
  const child = supervised(`const b=JSON.parse(require('fs').readFileSync(3));if(b.process==='server'){${ready}}`)
  child.start()
  await until(child, 'ready')
  await child.stop(1_000)
  assert.equal(child.state.state, 'stopped')
})

test('a process that is killed comes back', async () => {
  const child = supervised(ready)
  child.start()
  const first = await until(child, 'ready')
  process.kill(first.pid!, 'SIGKILL')
  await until(child, 'backoff')
  const second = await until(child, 'ready')
  assert.notEqual(second.pid, first.pid)
  assert.equal(second.restarts, 1)
  await child.stop(1_000)
})

test('a process that dies too often is given up, visibly', async () => {
  const child = supervised('process.exit(7)')
  child.start()
  const { reason, restarts } = await until(child, 'crashed')
  assert.match(reason!, /died 5 times in 60 s \(exit 7\)/)
  assert.equal(restarts, 4)
})

test('what a killed process left running is ended, so that it comes back', async () => {
  const child = supervised(`require('child_process').spawn('sleep',['1000'],{stdio:[0,1,2,3]});${ready}`)
  child.start()
  const first = await until(child, 'ready')
  process.kill(first.pid!, 'SIGKILL')
  await until(child, 'backoff')
  assert.notEqual((await until(child, 'ready')).pid, first.pid)
  await child.stop(1_000)
})

test('a process that does not stop in time is killed', async () => {
  const child = supervised("process.send({type:'ready'});process.on('message',()=>{});setInterval(()=>{},1e3)")
  child.start()
  await until(child, 'ready')
  await child.stop(10)
  assert.equal(child.state.state, 'stopped')
})

test('a process that is started anew reads its boot message again; one that is to be stopped meanwhile stays stopped', async () => {
  const child = supervised(ready)
  child.start()
  const first = await until(child, 'ready')
  await child.restart(1_000)
  const second = await until(child, 'ready')
  assert.notEqual(second.pid, first.pid)
  await Promise.all([child.restart(1_000), child.stop(1_000)])
  assert.equal(child.state.state, 'stopped')
  await child.restart(1_000)
  assert.equal(child.state.state, 'stopped')
})

test('one whose boot message cannot be made, for a secret that others can read, is tried again like one that died, and ends nobody else', async () => {
  let made = 0
  const child = supervised(ready, { crashes: 3, windowMs: 60_000, backoffMs: [1] }, () => {
    made += 1
    if (made > 1) throw new Error('the secret can be read by other users; run `chmod 600`')
    return { process: 'server' } as Boot
  })
  child.start()
  process.kill((await until(child, 'ready')).pid!, 'SIGKILL')
  assert.match((await until(child, 'crashed')).reason!, /died 3 times .*the secret can be read by other users; run `chmod 600`/)
  assert.equal(child.pid, undefined)
})

test('one that is started anew in the moment in which it has ended, and is not gone, runs once', async (t) => {
  // what it leaves behind, in a session of its own, holds its end of the channel a while longer
  const child = supervised(`require('child_process').spawn('sleep',['0.5'],{detached:true,stdio:[0,1,2,3]}).unref();${ready}`)
  const pids = new Set<number>()
  child.on('state', ({ pid, state }) => state === 'starting' && pids.add(pid!))
  t.after(() => child.stop(1_000))
  child.start()
  const first = await until(child, 'ready')
  process.kill(first.pid!, 'SIGKILL')
  const isThere = () => {
    try {
      return readFileSync(`/proc/${first.pid}/stat`, 'utf8') !== ''
    } catch {
      return false
    }
  }
  while (isThere()) await delay(5)
  await child.restart(1_000)
  const second = await until(child, 'ready')
  await delay(600) // it has let go by then
  assert.deepEqual([child.state.state, child.pid, pids.size], ['ready', second.pid, 2])
})
