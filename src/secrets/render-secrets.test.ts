import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { opItem as item, secretDesk, secretSource as source } from '../../test/support/secret-desk.ts'
import type { ProgramState } from '../../test/support/secret-programs.ts'
import type { SecretSource } from '../house/index.ts'
import { openSecretFolder, renderSecrets, runProgram } from './index.ts'

function desk(t: TestContext, state: ProgramState = {}, milliseconds?: number) {
  const made = secretDesk(t, state, milliseconds)
  return { ...made, render: (sources: SecretSource[], more = {}) => renderSecrets({ ...made.deps, ...more }, sources) }
}

const loud = 'Tr0ub4dor-and-3-loud-secrets'
const place = { from: 'op', reference: 'op://Home/Shop/credential' } as const
const skip = existsSync('/usr/bin/age') ? false : 'age is missing: apt install age'

test('a secret of each source lands in its file, 0600 and trimmed, and op alone is given what op is signed in by', { skip }, async (t) => {
  const { home, programs, write, folder, render } = desk(t, { keychain: { 'shop/me': 'of the keychain' }, vaultPassword: 'open', op: { 'Home/Shop': item('of 1Password') } })
  const identity = write('key.txt', '')
  rmSync(identity)
  execFileSync('age-keygen', ['-o', identity], { stdio: 'ignore' })
  execFileSync('age', ['--encrypt', '--identity', identity, '--output', join(home, 'a.age')], { input: 'of age\n' })
  const vault = write('v.yaml', `$ANSIBLE_VAULT;1.1;AES256\n${Buffer.from('mail: { password: of the vault }\n').toString('base64')}\n`)
  programs.set({ ...programs.state(), sops: { [join(home, 's.yaml')]: { smtp: [{ password: 'of sops' }] } } })
  mkdirSync(join(home, 'credentials'))
  write('credentials/forge', 'of systemd', 0o440)
  const rendered = await render([
    source('op', { from: 'op', reference: 'op://Home/Shop/credential' }), source('sops', { from: 'sops', file: join(home, 's.yaml'), key: ['smtp', 0, 'password'] }),
    source('age', { from: 'age', file: join(home, 'a.age'), identity }), source('keychain', { from: 'keychain', service: 'shop', account: 'me' }),
    source('vault', { from: 'ansible-vault', file: vault, key: ['mail', 'password'] }), source('file', { from: 'file', file: write('f', 'of a file\n') }),
    source('systemd', { from: 'systemd', credential: 'forge' }), source('made', { from: 'made' }),
  ], { env: { CREDENTIALS_DIRECTORY: join(home, 'credentials') }, passphrases: new Map([[vault, 'open']]) })
  assert.deepEqual(rendered.filter(({ state }) => state !== 'rendered'), [])
  const values = Object.fromEntries([...folder.list()].map(([name]) => [name, readFileSync(join(folder.path, name), 'utf8')]))
  assert.match(values.made!, /^[0-9a-f]{64}\n$/)
  assert.deepEqual({ ...values, made: '' }, {
    age: 'of age\n', file: 'of a file\n', keychain: 'of the keychain\n', made: '', op: 'of 1Password\n', sops: 'of sops\n', systemd: 'of systemd\n', vault: 'of the vault\n',
  })
  assert.deepEqual([...folder.list().values()].map(({ mode }) => mode & 0o777), Array(8).fill(0o600))
  const variables = Object.fromEntries(programs.calls().map((call) => [call.name, call.variables]))
  assert.ok(variables.op!.includes('OP_SESSION_me') && !variables.sops!.includes('OP_SESSION_me'), JSON.stringify(variables))
  assert.ok(!Object.values(variables).flat().includes('OPENAI_API_KEY'))
})

test('what did not change is not written again and keeps its age; what did begins a new one', async (t) => {
  const { programs, folder, records, clock, render } = desk(t, { op: { 'Home/Shop': item('one') } })
  const sources = [source('token', { from: 'op', reference: 'op://Home/Shop/credential' }), source('hook', { from: 'made' })]
  await render(sources)
  const inode = () => statSync(join(folder.path, 'token')).ino
  const before = inode()
  clock.advance(5_000)
  assert.deepEqual((await render(sources)).map(({ state }) => state), ['unchanged', 'unchanged'])
  assert.equal(inode(), before)
  programs.set({ op: { 'Home/Shop': item('two') } })
  assert.deepEqual((await render(sources)).map(({ state }) => state), ['rendered', 'unchanged'])
  assert.deepEqual([folder.read('token'), records.of('token')!.changedAt, records.of('hook')!.changedAt], ['two', '2026-11-28T08:00:05.000Z', '2026-11-28T08:00:00.000Z'])
  assert.deepEqual(records.unrecorded().map(({ act, name }) => `${act} ${name}`).sort(), ['render hook', 'render token', 'render token'])
})

const failures: Record<string, { state: ProgramState; place?: Parameters<typeof source>[1]; milliseconds?: number; says: RegExp }> = {
  'a program that fails and prints what it holds': { state: { behaviour: { op: 'fails' } }, says: /^op ended with 1: what it said is not repeated.*run `op read --no-newline op:\/\/Home\/Shop\/credential` yourself/ },
  'a program that hangs, with a child that holds its pipes': { state: { behaviour: { op: 'hangs' } }, milliseconds: 1_500, says: /^op did not answer within 1\.5 s and was ended.*--patience/ },
  'a program that is killed': { state: { behaviour: { op: 'killed' } }, says: /^op was ended by SIGKILL/ },
  'a program that floods us': { state: { behaviour: { op: 'floods' } }, says: /said more than a secret can be/ },
  'an item that is not there': { state: { op: {} }, says: /^op ended with 1: there is no such item; look at `reference`/ },
  'a field that is not there': { state: { op: { 'Home/Shop': { fields: [] } } }, says: /the item has no such field/ },
  'nobody who is signed in': { state: { behaviour: { op: { says: '[ERROR] you are not currently signed in. Please run `op signin --help`' } } }, says: /unlock the 1Password app, or run `op signin`/ },
  'a value that is empty': { state: { op: { 'Home/Shop': item(' \n') } }, says: /is empty; put a text there/ },
  'a key that is not there': { state: {}, place: { from: 'age', file: '/nowhere/a', identity: '/nowhere/i' }, says: /there is no file \/nowhere\/i/ },
  'a credential outside of its unit': { state: {}, place: { from: 'systemd', credential: 'forge' }, says: /ExecStartPre=castellan secrets render/ },
}

for (const [name, { state, place: other = place, milliseconds, says }] of Object.entries(failures)) {
  test(`${name}: the old value stays, the others are rendered, and no word of a value is said`, async (t) => {
    const { folder, render } = desk(t, { loud, ...state }, milliseconds)
    folder.write('token', 'the old one')
    const [failed, made] = await render([source('token', other), source('hook', { from: 'made' })])
    assert.deepEqual([failed!.state, made!.state], ['failed', 'rendered'])
    assert.match(failed!.problem!.message, says)
    assert.doesNotMatch(JSON.stringify([failed, made]), /Tr0ub4dor/)
    assert.equal(folder.read('token'), 'the old one')
    assert.deepEqual(readdirSync(folder.path).filter((file) => file.endsWith('.new')), [])
  })
}

test('a program that has to be unlocked is asked by one call before the others, of which few run at once', async (t) => {
  const { deps, render } = desk(t)
  let [running, most, calls] = [0, 0, 0]
  const run = async () => {
    most = Math.max(most, ++running)
    if (++calls === 1) assert.equal(running, 1)
    await new Promise((resolve) => setImmediate(resolve))
    if (calls === 1) assert.equal(running, 1, 'nobody has begun before the first has ended')
    running--
    return Buffer.from(`value ${calls}`)
  }
  const sources = Array.from({ length: 20 }, (_, index) => source(`s${index}`, place))
  const rendered = await render(sources, { ...deps, run })
  assert.deepEqual([rendered.map(({ name }) => name), rendered.filter(({ state }) => state !== 'rendered'), most], [sources.map(({ name }) => name), [], 6])
})

test('age says nothing of a file that it cannot open, though it would repeat what stands in it', { skip }, async (t) => {
  const { home, write, render } = desk(t)
  for (const key of ['mine', 'other']) execFileSync('age-keygen', ['-o', join(home, key)], { stdio: 'ignore' })
  execFileSync('age', ['--encrypt', '--identity', join(home, 'mine'), '--output', join(home, 'a.age')], { input: loud })
  const rendered = await render([
    source('clear', { from: 'age', file: write('clear', `${loud}\n`), identity: join(home, 'mine') }), source('other', { from: 'age', file: join(home, 'a.age'), identity: join(home, 'other') }),
    source('gone', { from: 'age', file: join(home, 'b.age'), identity: join(home, 'mine') }), source('key', { from: 'age', file: join(home, 'a.age'), identity: write('key', `${loud}\n`) }),
  ])
  const says = [/the file or the identity is not one of age/, /the identity does not open this file/, /the file is not there/, /the file or the identity is not one of age/]
  rendered.forEach(({ problem }, index) => assert.match(problem!.message, says[index]!))
  assert.doesNotMatch(JSON.stringify(rendered), /Tr0ub4dor/)
})

test('a program that is not installed, or that everybody can replace, is given no secret', async (t) => {
  const { home, deps, write } = desk(t)
  const [none] = await renderSecrets({ ...deps, run: (call) => runProgram(call, { env: { PATH: 'here:' }, milliseconds: 1_000 }) }, [source('token', place)])
  assert.match(none!.problem!.message, /^op is not installed, or not on the PATH/)
  write('op', '#!/bin/sh\necho stolen', 0o777)
  const [open] = await renderSecrets({ ...deps, run: (call) => runProgram(call, { env: { PATH: home }, milliseconds: 1_000 }) }, [source('token', place)])
  assert.match(open!.problem!.message, /can be replaced by every user.*chmod o-w/)
  chmodSync(join(home, 'op'), 0o755)
  for (const mode of [0o777, 0o1777]) {
    chmodSync(home, mode)
    const [planted] = await renderSecrets({ ...deps, run: (call) => runProgram(call, { env: { PATH: home }, milliseconds: 1_000 }) }, [source('token', place)])
    assert.match(planted?.problem?.message ?? '', new RegExp(`op can be replaced by every user.*chmod o-w ${home}`), mode.toString(8))
  }
})

test('what others can read is refused, with what to type: the folder, a rendered file, a source, a key', async (t) => {
  const { home, folder, write, render } = desk(t)
  const open = write('open', 'x', 0o644)
  const [file, age] = await render([source('a', { from: 'file', file: open }), source('b', { from: 'age', file: open, identity: open })])
  for (const one of [file, age]) assert.match(one!.problem!.message, new RegExp(`${open} has mode 0644 .*run \`chmod 600 ${open}\``))
  folder.write('token', 'x')
  chmodSync(join(folder.path, 'token'), 0o640)
  assert.match((await render([source('token', { from: 'made' })]))[0]!.problem!.message, /has mode 0640/)
  chmodSync(folder.path, 0o750)
  assert.throws(() => openSecretFolder(home), { code: 'secrets.mode', message: /chmod 700/ })
})

test('a link in the place of a secret is replaced and not written through, and a pipe keeps nobody waiting', async (t) => {
  const { home, folder, write, render } = desk(t)
  const elsewhere = write('elsewhere', 'untouched')
  symlinkSync(elsewhere, join(folder.path, 'token'))
  execFileSync('mkfifo', [join(home, 'pipe')])
  chmodSync(join(home, 'pipe'), 0o600)
  const [linked, pipe] = await render([source('token', { from: 'file', file: write('f', 'new') }), source('piped', { from: 'file', file: join(home, 'pipe') })])
  assert.deepEqual([linked!.state, readFileSync(elsewhere, 'utf8'), statSync(join(folder.path, 'token')).isFile()], ['rendered', 'untouched', true])
  assert.match(pipe!.problem!.message, /is no file/)
})

test('what root renders for a home of somebody else belongs to him, and nobody but him and root renders there', { skip: process.getuid?.() !== 0 && 'only root can give files away' }, async (t) => {
  const { home, folder } = desk(t)
  chownSync(folder.path, 1234, 1234)
  openSecretFolder(home).write('token', 'x')
  const { uid, gid, mode } = statSync(join(folder.path, 'token'))
  assert.deepEqual([uid, gid, mode & 0o777], [1234, 1234, 0o600])
  chmodSync(home, 0o755)
  const asNobody = spawnSync(process.execPath, ['--input-type=module', '-e', `process.setgid(65534); process.setuid(65534); const { openSecretFolder } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))}); openSecretFolder(${JSON.stringify(home)})`], { encoding: 'utf8' })
  assert.match(asNobody.stderr, /belongs to another user \(uid 1234\); run this as him/)
})

test('of two that are at work one is refused, and what one that died has left half written is removed', async (t) => {
  const { folder } = desk(t)
  writeFileSync(join(folder.path, '.token.0123456789ab.new'), 'half of a sec', { mode: 0o600 })
  await folder.exclusively(async () => {
    assert.equal(existsSync(join(folder.path, '.token.0123456789ab.new')), false)
    await assert.rejects(folder.exclusively(async () => {}), { code: 'secrets.busy' })
  })
})
