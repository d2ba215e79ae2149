import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createLogger } from '../kernel/log.ts'
import type { Boot } from './boot.ts'
import { SupervisedProcess, type ProcessState } from './supervise.ts'

const folder = mkdtempSync(join(tmpdir(), 'castellan-supervise-'))
after(() => rmSync(folder, { recursive: true }))

const ready = "process.send({type:'ready'});process.on('message',(m)=>m.type==='stop'&&process.exit(0));process.on('disconnect',()=>process.exit(0))"

function supervised(script: string, limits = { crashes: 5, windowMs: 60_000, backoffMs: [1] }): SupervisedProcess {
  return new SupervisedProcess(
    {
      name: 'server',
      command: [process.execPath, '-e', script],
      environment: { PATH: process.env.PATH! },
      logFile: join(folder, 'server.log'),
      boot: () => ({ process: 'server' }) as Boot,
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
