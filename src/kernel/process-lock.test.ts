import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { Fault } from './fault.ts'
import { holderOf, takeProcessLock } from './process-lock.ts'

const taken = (pid: number) => new Fault('conflict', 'test.taken', `process ${pid} holds it`)
const held = { code: 'test.taken', message: `process ${process.pid} holds it` }

function lockFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-lock-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'lock')
}

async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'close')
  return child.pid!
}

/** What a live process that is not ours says of itself. */
const parent = () => {
  const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8')
  return JSON.stringify({ pid: process.ppid, born: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19], token: 'another' })
}

test('a lock that is held is refused by name of the holder, in this process too, and free once given back', (t) => {
  const path = lockFile(t)
  const lock = takeProcessLock(path, taken)
  assert.equal(holderOf(path), process.pid)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.throws(() => takeProcessLock(path, taken), held)
  assert.ok(lock.held())
  lock.release()
  assert.equal(holderOf(path), undefined)
  takeProcessLock(path, taken).release()
  assert.deepEqual(readdirSync(join(path, '..')), [], 'nothing is left behind')
})

test('what a dead process left is taken over, and what says nothing', async (t) => {
  for (const left of [JSON.stringify({ pid: await deadPid(), born: '1', token: 'a' }), '', '{"pid": 12', 'null', '{}']) {
    const path = lockFile(t)
    writeFileSync(path, left)
    assert.equal(holderOf(path), undefined)
    const lock = takeProcessLock(path, taken)
    assert.ok(lock.held())
    assert.deepEqual(readdirSync(join(path, '..')), ['lock'])
  }
})

test('a later process with the pid of the dead holder does not hold the lock', { skip: process.platform !== 'linux' && 'needs /proc' }, (t) => {
  const path = lockFile(t)
  writeFileSync(path, JSON.stringify({ pid: process.ppid, born: '1', token: 'a' }))
  assert.equal(holderOf(path), undefined)
})

test('a lock that was taken away is not held any more, and giving it back leaves the other its own', { skip: process.platform !== 'linux' && 'needs /proc' }, (t) => {
  const path = lockFile(t)
  const lock = takeProcessLock(path, taken)
  writeFileSync(path, parent())
  assert.equal(lock.held(), false)
  lock.release()
  assert.equal(holderOf(path), process.ppid)
})

test('who takes over waits for nobody: one that is just doing it is named, a turn that a dead one left is taken', { skip: process.platform !== 'linux' && 'needs /proc' }, (t) => {
  const path = lockFile(t)
  writeFileSync(path, '')
  writeFileSync(`${path}.turn`, parent())
  assert.throws(() => takeProcessLock(path, taken), { message: `process ${process.ppid} holds it` })
  assert.deepEqual(readdirSync(join(path, '..')).sort(), ['lock', 'lock.turn'])
  writeFileSync(`${path}.turn`, '{"pid": 1')
  assert.ok(takeProcessLock(path, taken).held())
})

test('of many that find the same dead holder at once, one takes its place', async (t) => {
  const path = lockFile(t)
  writeFileSync(path, JSON.stringify({ pid: await deadPid(), born: '1', token: 'a' }))
  const program = `
    const { takeProcessLock } = await import(${JSON.stringify(join(import.meta.dirname, 'process-lock.ts'))})
    process.stdin.once('data', () => {
      try {
        takeProcessLock(${JSON.stringify(path)}, () => new Error())
        console.log('held')
      } catch {
        console.log('taken')
      }
    })
    console.log('ready')`
  const children = Array.from({ length: 4 }, () => spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] }))
  const lines = children.map((child) => createInterface(child.stdout)[Symbol.asyncIterator]())
  assert.deepEqual(await Promise.all(lines.map(async (line) => (await line.next()).value)), ['ready', 'ready', 'ready', 'ready'])
  for (const child of children) child.stdin.write('go\n')
  const said = await Promise.all(lines.map(async (line) => (await line.next()).value))
  assert.deepEqual(said.sort(), ['held', 'taken', 'taken', 'taken'])
  const gone = children.map((child) => once(child, 'close'))
  for (const child of children) child.stdin.end()
  await Promise.all(gone)
  assert.equal(holderOf(path), undefined)
})
