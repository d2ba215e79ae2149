import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { put } from './put.ts'

test('a file that cannot be taken from where it was is not left in both places', { skip: process.getuid?.() !== 0 && 'only root can try what another may not' }, async (t) => {
  const root = realpathSync(temporaryFolder(t))
  for (const name of ['from', 'to']) {
    mkdirSync(join(root, name))
    chmodSync(join(root, name), 0o777)
  }
  writeFileSync(join(root, 'from/note.md'), 'a note')
  chownSync(join(root, 'from/note.md'), 65534, 65534)
  chmodSync(join(root, 'from'), 0o755)
  chmodSync(root, 0o755)
  process.seteuid!(65534)
  try {
    await assert.rejects(put(root, 'from/note.md', 'to/note.md'), { code: 'EACCES' })
  } finally {
    process.seteuid!(0)
  }
  assert.deepEqual([readdirSync(join(root, 'from')), readdirSync(join(root, 'to'))], [['note.md'], []])
})
