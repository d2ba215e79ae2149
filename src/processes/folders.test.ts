import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { grantFolder, ownTemporary, prepareHome, requireReachable } from './folders.ts'

const parent = mkdtempSync(join(tmpdir(), 'castellan-folders-'))
after(() => rmSync(parent, { recursive: true }))

test('a home lets everyone through and nobody into a folder', () => {
  const home = join(parent, 'fresh')
  prepareHome(home, undefined)
  assert.equal(statSync(home).mode & 0o777, 0o711)
  assert.equal(statSync(join(home, 'releaser')).mode & 0o777, 0o700)
})

test('a folder that others can read is refused with the command that mends it', () => {
  const home = join(parent, 'open')
  prepareHome(home, undefined)
  chmodSync(join(home, 'releaser'), 0o755)
  assert.throws(() => prepareHome(home, undefined), { code: 'home.mode', message: /chmod 0700 .*releaser/ })
})

test('a path behind a closed folder names that folder', () => {
  const closed = join(parent, 'closed')
  mkdirSync(join(closed, 'inside'), { recursive: true })
  chmodSync(closed, 0o700)
  assert.throws(() => requireReachable(join(closed, 'inside'), 'the source', 'move it'), { code: 'path.unreachable', message: new RegExp(`chmod o\\+x ${closed}`) })
})

test('another owner is refused', { skip: process.getuid?.() !== 0 && 'only root can give folders away' }, () => {
  const home = join(parent, 'owned')
  prepareHome(home, undefined)
  chownSync(join(home, 'server'), 12345, 12345)
  assert.throws(() => prepareHome(home, undefined), { code: 'home.owner', message: /chown -R/ })
})

test('sockets are put into no folder of /tmp that somebody else made, leads elsewhere, or could be changed by others', { skip: process.getuid?.() !== 0 && 'only root can give folders away' }, () => {
  const temporary = join(parent, 'tmp')
  mkdirSync(temporary)
  const own = ownTemporary(temporary)
  assert.deepEqual([ownTemporary(temporary), statSync(own).mode & 0o777], [own, 0o711])
  chmodSync(own, 0o777)
  assert.throws(() => ownTemporary(temporary), { code: 'home.mode' })
  chmodSync(own, 0o711)
  chownSync(own, 12345, 12345)
  assert.throws(() => ownTemporary(temporary), { code: 'runtime.owner' })
  rmSync(own, { recursive: true })
  symlinkSync(parent, own)
  assert.throws(() => ownTemporary(temporary), { code: 'runtime.owner' })
})

test('a folder is given to its user, and a link is followed nowhere, also where it leads to nothing yet', () => {
  const [folder, link, away, elsewhere] = ['given', 'link', 'away', 'elsewhere'].map((name) => join(parent, name)) as [string, string, string, string]
  grantFolder(folder, { mode: 0o750 })
  assert.equal(statSync(folder).mode & 0o7777, 0o750)
  mkdirSync(elsewhere, { mode: 0o700 })
  symlinkSync(elsewhere, link)
  symlinkSync(join(parent, 'not-there'), away)
  for (const path of [link, away]) grantFolder(path, { mode: 0o777 })
  assert.deepEqual([statSync(elsewhere).mode & 0o777, existsSync(join(parent, 'not-there'))], [0o700, false])
})
