import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { describedHouse, writeFlat } from '../../../test/support/described-house.ts'
import { launchdInstallation } from './installation.ts'

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
