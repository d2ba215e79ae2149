import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stubHouse } from '../../test/support/cli.ts'

const starter = join(import.meta.dirname, '..', '..', 'house')
const home = '/srv/castellan-that-is-not-there'
const where = ['--home', home, '--house', starter]
const inTmp = starter.startsWith('/tmp/') && 'this clone lies in /tmp, where no house is installed from'

interface Printed {
  readonly files: { readonly path: string; readonly text: string }[]
  readonly next: string[]
}

test('what would be installed is printed with its paths, for either system, and nothing is changed', { skip: inTmp }, async (t) => {
  const { run } = await stubHouse(t)
  const printed = (await run(['service', 'install', '--print', '--json', '--for', 'systemd', ...where])).json<Printed>().data
  assert.ok(printed.files.some(({ path, text }) => path === '/etc/systemd/system/castellan-releaser.service' && /^User=castellan-releaser$/m.test(text)))
  assert.ok(printed.next.includes('systemctl enable --now castellan.target'))
  const text = await run(['service', 'install', '--print', '--for', 'launchd', ...where])
  assert.match(text.stdout, /^# \/Library\/LaunchDaemons\/org\.castellan\.house\.plist\n<\?xml/)
  assert.equal((await run(['service', 'install', '--dry-run', '--json', ...where])).exit, 0)
  assert.equal(existsSync(home), false)
})

test('a system that starts nothing of this house says so, file by file', { skip: inTmp }, async (t) => {
  const { run } = await stubHouse(t)
  const { exit, stdout } = await run(['service', 'status', '--json', '--for', 'systemd', ...where])
  const { error, data } = JSON.parse(stdout) as { error: { code: string }; data: { files: { state: string }[]; units: { unit: string }[] } }
  assert.deepEqual([exit, error.code, new Set(data.files.map(({ state }) => state))], [1, 'service.differs', new Set(['missing'])])
  assert.ok(data.units.some(({ unit }) => unit === 'castellan.target'))
})

test('what is to be taken away is asked of the system, and not of a house that may be gone', async (t) => {
  const { run } = await stubHouse(t)
  const { exit, stdout } = await run(['service', 'uninstall', '--dry-run', '--json', '--for', 'systemd', '--home', home, '--house', '/srv/house-that-is-not-there'])
  const { data } = JSON.parse(stdout) as { data: { would: string[]; before: string[] } }
  assert.deepEqual([exit, data.would, data.before], [0, [], ['systemctl disable --now castellan.target castellan.service']])
  assert.equal((await run(['service', 'uninstall', '--dry-run', '--for', 'systemd', '--home', home])).stdout, 'No house is installed on this machine.\n')
})

test('another system than the two is wrong usage', async (t) => {
  const { run } = await stubHouse(t)
  const refused = await run(['service', 'install', '--print', '--for', 'runit', ...where])
  assert.deepEqual([refused.exit, refused.stdout], [2, ''])
  assert.match(refused.stderr, /systemd, launchd/)
})
