import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { homeHolder, lockHome } from './lock-home.ts'

test('a home that is held is refused by name of the holder, and free once given back', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'castellan-lock-'))
  t.after(() => rmSync(home, { recursive: true }))
  const unlock = lockHome(home)
  assert.equal(homeHolder(home), process.pid)
  assert.throws(() => lockHome(home), { code: 'up.running', message: new RegExp(`process ${process.pid}`) })
  unlock()
  assert.equal(homeHolder(home), undefined)
  lockHome(home)()
})
