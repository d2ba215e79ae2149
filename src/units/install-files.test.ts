import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { describedHouse } from '../../test/support/described-house.ts'
import { compareFiles, installFiles, uninstallFiles } from './install-files.ts'
import { systemdInstallation } from './systemd/installation.ts'

const home = '/var/lib/castellan'
const replaceFile = async (path: string, content: string, mode: number) => writeFileSync(path, content, { mode })
const { files } = systemdInstallation(describedHouse())

function system(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'castellan-root-'))
  t.after(() => rmSync(root, { recursive: true }))
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return { root, put, install: (of = files, as = home) => installFiles({ root, replaceFile }, as, of) }
}

test('an installation writes every file with its mode, and a second one changes nothing', async (t) => {
  const { root, install } = system(t)
  assert.deepEqual(new Set((await install()).map(({ state }) => state)), new Set(['written']))
  for (const { path, mode, text } of files) assert.deepEqual([readFileSync(join(root, path), 'utf8'), statSync(join(root, path)).mode & 0o777], [text, mode])
  assert.deepEqual(new Set((await install()).map(({ state }) => state)), new Set(['unchanged']))
  assert.deepEqual(new Set(compareFiles({ root }, files).map(({ state }) => state)), new Set(['installed']))
})

test('what was edited is written anew, what an earlier version wrote goes, and what is not ours stays', async (t) => {
  const { root, put, install } = system(t)
  await install()
  put('/etc/systemd/system/castellan.service', `${files.find(({ path }) => path.endsWith('/castellan.service'))!.text}\nUser=root\n`)
  put('/etc/systemd/system/castellan-former.service', files[1]!.text)
  put('/etc/systemd/system/castellan-of-mine.service', '[Service]\n')
  assert.equal(compareFiles({ root }, files).find(({ path }) => path.endsWith('/castellan.service'))!.state, 'differs')
  const changed = (await install()).filter(({ state }) => state !== 'unchanged')
  assert.deepEqual(changed.map(({ path, state }) => [path.split('/').at(-1), state]), [['castellan.service', 'written'], ['castellan-former.service', 'removed']])
  assert.ok(existsSync(join(root, '/etc/systemd/system/castellan-of-mine.service')))
})

test('a file of somebody else, or the house of another home, stops an installation before it changes anything', async (t) => {
  const { root, put, install } = system(t)
  put(files.at(-1)!.path, 'd /srv 0755\n')
  await assert.rejects(install(), { code: 'unit.foreign' })
  assert.equal(existsSync(join(root, files[0]!.path)), false)
  rmSync(join(root, files.at(-1)!.path))
  await install()
  await assert.rejects(install(systemdInstallation(describedHouse({ home: '/srv/other' })).files, '/srv/other'), { code: 'unit.other_home', message: /--home \/var\/lib\/castellan/ })
})

test('taking it away leaves what others wrote', async (t) => {
  const { root, put, install } = system(t)
  await install()
  put('/etc/systemd/system/other.service', '[Service]\n')
  assert.equal(uninstallFiles({ root }, home, files).length, files.length)
  assert.deepEqual(files.filter(({ path }) => existsSync(join(root, path))), [])
  assert.ok(existsSync(join(root, '/etc/systemd/system/other.service')))
  assert.deepEqual(uninstallFiles({ root }, home, files), [])
})
