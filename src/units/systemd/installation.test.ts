import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { describedHouse, writeFlat } from '../../../test/support/described-house.ts'
import { systemdInstallation } from './installation.ts'
import { commandLine, plain, word } from './quote.ts'

const missing = spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'systemd-analyze is missing: apt-get install systemd'
const isUnit = ({ path }: { path: string }) => path.startsWith('/etc/systemd/system/')
const textOf = (house: ReturnType<typeof describedHouse>, name: string) => systemdInstallation(house).files.find(({ path }) => path.endsWith(`/${name}`))!.text
const valuesOf = (text: string, key: string) => [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value)

/** As systemd 252 reckons it, of 10; lower is better. Who sandboxes commands has to be able to make namespaces. */
const exposure: Readonly<Record<string, number>> = {
  'castellan.service': 21, 'castellan-awake.service': 10, 'castellan-server.service': 12, 'castellan-releaser.service': 12, 'castellan-gate-local.service': 12,
  'castellan-gate-cloud.service': 12, 'castellan-worker-open.service': 22, 'castellan-worker-private.service': 22,
}

test('systemd understands every unit, and none is more exposed than it has to be', { skip: missing }, (t) => {
  const house = describedHouse({ secrets: ['/etc/credstore.encrypted/castellan.sealing_key', '/etc/credstore/castellan.far_key'] })
  const folder = writeFlat(t, systemdInstallation(house).files.filter(isUnit))
  const units = ['castellan.target', ...Object.keys(exposure)]
  const verified = spawnSync('systemd-analyze', ['verify', ...units.map((name) => join(folder, name))], { encoding: 'utf8' })
  assert.deepEqual([verified.status, verified.stderr], [0, ''])
  for (const [name, most] of Object.entries(exposure)) {
    const { status, stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', `--threshold=${most}`, '--no-pager', join(folder, name)], { encoding: 'utf8' })
    assert.equal(status, 0, stdout.trim().split('\n').at(-1))
  }
})

test('an edited unit that opens a wall is noticed by that measure', { skip: missing }, (t) => {
  const files = systemdInstallation(describedHouse()).files.filter(isUnit).map((file) => ({ ...file, text: file.text.replace('NoNewPrivileges=yes\n', '').replace('PrivateNetwork=yes\n', '') }))
  const folder = writeFlat(t, files)
  assert.notEqual(spawnSync('systemd-analyze', ['security', '--offline=true', `--threshold=${exposure['castellan-worker-open.service']}`, join(folder, 'castellan-worker-open.service')]).status, 0)
})

test('users and folders are made as the units and the doors need them', { skip: missing || (process.getuid?.() !== 0 && 'only root can give folders to others') }, (t) => {
  const root = mkdtempSync(join(tmpdir(), 'castellan-root-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const folder of ['etc', 'var/lib', 'run']) mkdirSync(join(root, folder), { recursive: true })
  const house = describedHouse()
  for (const name of ['sysusers', 'tmpfiles']) writeFileSync(join(root, `${name}.conf`), systemdInstallation(house).files.find(({ path }) => path.includes(name))!.text)
  execFileSync('systemd-sysusers', [`--root=${root}`, join(root, 'sysusers.conf')], { stdio: 'pipe' })
  const users = new Map(readFileSync(join(root, 'etc', 'passwd'), 'utf8').split('\n').map((line) => [line.split(':')[0]!, line.split(':')]))
  for (const user of house.users) assert.deepEqual(users.get(user)?.slice(5), ['/nonexistent', '/usr/sbin/nologin'], user)
  execFileSync('systemd-tmpfiles', [`--root=${root}`, '--create', join(root, 'tmpfiles.conf')], { stdio: 'pipe' })
  for (const { path, mode, user } of house.folders) {
    const stats = statSync(join(root, path))
    assert.deepEqual([stats.mode & 0o7777, String(stats.uid)], [mode, user === 'root' ? '0' : users.get(user)![2]], path)
  }
})

test('each process is given its own secrets and no other, encrypted ones before others; `up` none', () => {
  const house = describedHouse({ secrets: ['/etc/credstore.encrypted/castellan.sealing_key', '/etc/credstore/castellan.sealing_key', '/var/lib/castellan/secrets/far_key'] })
  const loads = systemdInstallation(house).files.filter(isUnit).map(({ path, text }) => [path.split('/').at(-1), text.match(/^LoadCredential.*$/gm)])
  assert.deepEqual(loads.filter(([, lines]) => lines !== null), [
    ['castellan-releaser.service', ['LoadCredentialEncrypted=sealing_key:/etc/credstore.encrypted/castellan.sealing_key']],
    ['castellan-gate-cloud.service', ['LoadCredential=far_key:/var/lib/castellan/secrets/far_key']],
  ])
})

test('workers have no network, the server and a gate for near models only this machine, the others the world', () => {
  const near = describedHouse()
  assert.deepEqual(near.processes.map(({ name, network }) => [name, network]), [
    ['server', 'loopback'], ['releaser', 'world'], ['gate-local', 'loopback'], ['gate-cloud', 'world'], ['worker-open', 'none'], ['worker-private', 'none'],
  ])
  const far = describedHouse({ file: { outbox: { sign_origin: 'https://castellan.example.ts.net' }, models: { upstreams: { box: { kind: 'ollama', url: 'http://10.0.0.7:11434', zone: 'mesh' } } } } })
  assert.deepEqual(far.processes.slice(0, 3).map(({ network }) => network), ['world', 'world', 'world'])
})

test('a process writes its own folder and what it is declared to write; what lies elsewhere may be missing', () => {
  assert.deepEqual(valuesOf(textOf(describedHouse(), 'castellan-worker-private.service'), 'ReadWritePaths'), [
    '/var/lib/castellan/worker-private', '-/run/castellan/3c5f3d76/worker-private', '/var/lib/castellan/house', '-/srv/archive',
  ])
  assert.deepEqual(valuesOf(textOf(describedHouse(), 'castellan-gate-cloud.service'), 'ReadWritePaths'), ['/var/lib/castellan/gate-cloud', '-/run/castellan/3c5f3d76/gate-cloud'])
})

test('a home under /home stays visible and a home in /tmp is refused', () => {
  assert.deepEqual(valuesOf(textOf(describedHouse({ home: '/home/ada/castellan' }), 'castellan.service'), 'ProtectHome'), ['read-only'])
  assert.throws(() => systemdInstallation(describedHouse({ home: '/tmp/castellan' })), { code: 'unit.home', message: /move it, e.g. to \/var\/lib\/castellan/ })
})

test('what a process only reads in a home folder is not hidden from it, and stays hidden from the others', () => {
  const house = describedHouse({ file: {
    folders: { notes: { path: '/home/ada/notes', access: 'read' } }, mail: { accounts: { old: { kind: 'folder', path: '/home/ada/mail' } } },
    sources: { tickets: { kind: 'command', argv: ['/home/ada/bin/tickets'], network: ['api.vendor.example:443'] } },
  } })
  const hidden = house.processes.map(({ name }) => [name, valuesOf(textOf(house, `castellan-${name}.service`), 'ProtectHome')[0]])
  assert.deepEqual(Object.fromEntries(hidden), {
    server: 'yes', releaser: 'read-only', 'gate-local': 'yes', 'gate-cloud': 'yes', 'worker-open': 'yes', 'worker-private': 'read-only', reader: 'read-only',
  })
})

test('what systemd would take apart is quoted, and what no line can hold is refused', () => {
  assert.equal(word('/srv/a b'), '"/srv/a b"')
  assert.equal(word('100%'), '100%%')
  assert.equal(word('say "x\\y"'), '"say \\"x\\\\y\\""')
  assert.equal(commandLine(['/bin/echo', '$HOME']), '/bin/echo "$$HOME"')
  assert.throws(() => word('/srv/a\nExecStart=/bin/sh'), { code: 'unit.path' })
  for (const path of ['/srv/a b', '/srv/a:b', '/srv/a\nb']) assert.throws(() => plain(path), { code: 'unit.path' })
})
