import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { homeHolder, lockHome } from './lock-home.ts'

const home = mkdtempSync(join(tmpdir(), 'castellan-lock-'))
after(() => rmSync(home, { recursive: true }))

test('a home that is held is refused by name of the holder, and free once given back', () => {
  const unlock = lockHome(home)
  assert.equal(homeHolder(home), process.pid)
  assert.throws(() => lockHome(home), { code: 'up.running', message: new RegExp(`process ${process.pid}`) })
  unlock()
  assert.equal(homeHolder(home), undefined)
  lockHome(home)()
})

test('a holder that died leaves the home free', async () => {
  const child = spawn('true')
  const pid = child.pid
  await new Promise((resolve) => child.on('close', resolve))
  writeFileSync(join(home, 'up.lock'), JSON.stringify({ pid, born: '1' }))
  lockHome(home)()
})

test('a later process with the pid of the dead holder does not hold the home', () => {
  writeFileSync(join(home, 'up.lock'), JSON.stringify({ pid: process.ppid, born: '1' }))
  assert.equal(homeHolder(home), undefined)
})
