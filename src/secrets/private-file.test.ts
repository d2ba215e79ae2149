import assert from 'node:assert/strict'
import { chmodSync, chownSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { rewriteFile } from './private-file.ts'

function file(t: TestContext, mode: number) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-private-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'vault.yaml')
  writeFileSync(path, 'old')
  chmodSync(path, mode)
  return { folder, path }
}

test('a file that is rewritten where a link leads to it stays where it is at home, and the link a link', (t) => {
  const { folder, path } = file(t, 0o600)
  const link = join(folder, 'link')
  symlinkSync('vault.yaml', link)
  rewriteFile(link, 'new')
  assert.deepEqual([readFileSync(path, 'utf8'), lstatSync(link).isSymbolicLink()], ['new', true])
})

test('a file that is rewritten keeps its group: its mode says what that group may', { skip: process.getuid?.() !== 0 && 'only root can give files away' }, (t) => {
  const { path } = file(t, 0o640)
  chownSync(path, 0, 1234)
  rewriteFile(path, 'new')
  const { uid, gid, mode } = statSync(path)
  assert.deepEqual([uid, gid, mode & 0o777], [0, 1234, 0o640])
})

test('where its group cannot be kept, no other group may read it', { skip: process.getuid?.() !== 0 && 'only root can give files away' }, (t) => {
  const { folder, path } = file(t, 0o640)
  chownSync(folder, 65534, 65534)
  chownSync(path, 65534, 1234)
  const [uid, gid, groups] = [process.geteuid!(), process.getegid!(), process.getgroups!()]
  try {
    process.setgroups!([])
    process.setegid!(65534)
    process.seteuid!(65534)
    rewriteFile(path, 'new')
  } finally {
    process.seteuid!(uid)
    process.setegid!(gid)
    process.setgroups!(groups)
  }
  assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['new', 0o600])
})
