import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileCacheFolder, prepareCompileCache } from './compile-cache.ts'
import { entry, nodeFlags } from './process-specs.ts'

test('a process finds its own entry compiled: for a single file that is not, Node loads a compiler that stays in memory', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'castellan-compiled-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  await prepareCompileCache(home, undefined)
  // without a boot message it ends once the entry is loaded
  const { stderr } = spawnSync(process.execPath, [...nodeFlags(), entry, 'worker-open'], {
    encoding: 'utf8', timeout: 30_000, env: { NODE_COMPILE_CACHE: compileCacheFolder(home), NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
  })
  const strippedAgain = stderr.split('\n').filter((line) => line.includes('no transpile cache'))
  assert.match(stderr, /retrieving transpile cache for StrippedTypeScript file:\S+\/processes\/main\.ts\.\.\.success/)
  assert.deepEqual(strippedAgain, [])
})
