import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { describedHouse, writeFlat } from '../../../test/support/described-house.ts'
import { launchdInstallation, launchdRemoval } from './installation.ts'

const missing = spawnSync('xmllint', ['--version']).status === 0 ? false : 'xmllint is missing: apt-get install libxml2-utils'

test('launchd gets property lists in which one user keeps the whole house, and the machine is kept awake', { skip: missing }, (t) => {
  const folder = writeFlat(t, launchdInstallation(describedHouse({ home: '/Users/Shared/ada & co' })).files)
  const ask = (file: string, path: string) => {
    const { status, stdout, stderr } = spawnSync('xmllint', ['--nonet', '--xpath', path, join(folder, file)], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout.trim()
  }
  const value = (key: string) => `string(/plist/dict/key[.="${key}"]/following-sibling::*[1])`
  assert.equal(ask('org.castellan.house.plist', value('UserName')), '_castellan')
  assert.equal(ask('org.castellan.house.plist', 'string(/plist/dict/key[.="EnvironmentVariables"]/following-sibling::dict[1]/string[1])'), '/Users/Shared/ada & co')
  assert.equal(ask('org.castellan.house.plist', 'count(/plist/dict/key[.="KeepAlive"]/following-sibling::dict[1]/false)'), '1')
  assert.equal(ask('org.castellan.house.plist', 'count(//string[.="--units"])'), '0')
  assert.equal(ask('org.castellan.house.plist', value('Umask')), String(0o077))
  assert.equal(ask('org.castellan.awake.plist', 'string(//array/string[1])'), '/usr/bin/caffeinate')
})

test('what is to be typed takes a home apart nowhere, and deletes none with the user', () => {
  const { next } = launchdInstallation(describedHouse({ home: `/Users/Shared/ada's $(house)` }))
  const made = next.find((command) => command.startsWith('install '))!
  assert.deepEqual(spawnSync('/bin/sh', ['-c', `printf '%s\\n' ${made}`], { encoding: 'utf8' }).stdout.split('\n').at(-2), `/Users/Shared/ada's $(house)`)
  // `sysadminctl -deleteUser` takes the home of the user with it
  assert.match(next[0]!, / -home \/var\/empty$/)
  assert.ok(![...next, ...launchdRemoval.before, ...launchdRemoval.after].some((command) => command.includes('-deleteUser')))
  assert.throws(() => launchdInstallation(describedHouse({ home: '/Users/Shared/a\u0001b' })), { code: 'unit.path' })
})

test('a daemon that still runs is ended after its file is gone', () => {
  assert.deepEqual(launchdRemoval.after, ['launchctl bootout system/org.castellan.house', 'launchctl bootout system/org.castellan.awake'])
})
