import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { describedHouse } from '../../test/support/described-house.ts'
import { compareFiles, installedFiles, installFiles, uninstallFiles } from './install-files.ts'
import { launchdInstallation, launchdRemoval } from './launchd/installation.ts'
import { systemdInstallation, systemdRemoval } from './systemd/installation.ts'

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

test('taking it away leaves what others wrote, asks no house, and takes what another house of this home had, with the link that starts it', async (t) => {
  const { root, put, install } = system(t)
  await install()
  put('/etc/systemd/system/other.service', '[Service]\n')
  put('/etc/systemd/system/castellan-of-mine.service', '[Service]\n')
  put('/etc/systemd/system/castellan-reader.service', files[1]!.text)
  const wants = join(root, '/etc/systemd/system/multi-user.target.wants')
  mkdirSync(wants)
  for (const [name, to] of [['castellan.target', '/etc/systemd/system/castellan.target'], ['other.service', '/etc/systemd/system/other.service']] as const) symlinkSync(to, join(wants, name))
  const { folders } = systemdRemoval
  assert.throws(() => uninstallFiles({ root }, '/srv/other', folders), { code: 'unit.other_home' })
  assert.equal(uninstallFiles({ root }, home, folders).length, files.length + 2)
  assert.deepEqual(installedFiles({ root }, folders), [])
  assert.deepEqual(files.filter(({ path }) => existsSync(join(root, path))), [])
  assert.deepEqual(readdirSync(join(root, '/etc/systemd/system')).sort(), ['castellan-of-mine.service', 'multi-user.target.wants', 'other.service'])
  assert.deepEqual(readdirSync(wants), ['other.service'])
  assert.deepEqual(uninstallFiles({ root }, home, folders), [])
})

test('a home is known again however its name had to be written', async (t) => {
  for (const odd of ['/Users/Shared/ada & co <1>', '/Users/Shared/"castle"']) {
    const { root, install } = system(t)
    const { files: daemons } = launchdInstallation(describedHouse({ home: odd }))
    await install(daemons, odd)
    assert.deepEqual(new Set((await install(daemons, odd)).map(({ state }) => state)), new Set(['unchanged']))
    assert.equal(uninstallFiles({ root }, odd, launchdRemoval.folders).length, 2)
  }
  const { install } = system(t)
  const percent = systemdInstallation(describedHouse({ home: '/srv/100%' })).files
  await install(percent, '/srv/100%')
  assert.deepEqual(new Set((await install(percent, '/srv/100%')).map(({ state }) => state)), new Set(['unchanged']))
  await assert.rejects(install(), { code: 'unit.other_home', message: /--home \/srv\/100%`/ })
})
