import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { opItem, secretDesk, secretSource } from '../../test/support/secret-desk.ts'
import type { ProgramState } from '../../test/support/secret-programs.ts'
import type { SecretSource } from '../house/index.ts'
import { forgetPrevious, renderSecrets, rotateSecret, undoRotation, type RotateDeps } from './index.ts'

function desk(t: TestContext, state: ProgramState = {}, more: object = {}) {
  const made = secretDesk(t, state)
  const recorded: string[] = []
  const deps = { ...made.deps, type: async () => 'typed anew', record: async () => void recorded.push(...made.records.unrecorded().map(({ act, name }) => `${act} ${name}`)), ...more }
  return { ...made, deps, recorded, rotate: (source: SecretSource) => rotateSecret(deps, source), undo: (source: SecretSource) => undoRotation(deps, source) }
}

const op = { from: 'op', reference: 'op://Home/Shop/credential' } as const
const skip = existsSync('/usr/bin/age') ? false : 'age is missing: apt install age'
const leftOvers = (folder: { path: string }) => readdirSync(folder.path).filter((name) => /next|undo-|before|\.new$/.test(name))

test('what we make is made anew, noted for the audit before it is done, and the value before can be put back for a day', async (t) => {
  const { folder, records, clock, recorded, rotate, undo, deps } = desk(t)
  const hook = secretSource('hook', { from: 'made' }, { by: 'made', form: 'whsec' })
  folder.write('hook', 'the first')
  const rotated = await rotate(hook)
  assert.deepEqual(rotated, { name: 'hook', state: 'rotated', resumed: false, undoUntil: '2026-11-29T08:00:00.000Z' })
  const second = folder.read('hook')!
  assert.match(second, /^whsec_[A-Za-z0-9+/]{43}=$/)
  assert.deepEqual([recorded, records.of('hook')!.rotatedAt], [['rotate hook'], '2026-11-28T08:00:00.000Z'])
  assert.equal(statSync(join(folder.path, '.previous-hook')).mode & 0o777, 0o600)
  await undo(hook)
  assert.equal(folder.read('hook'), 'the first')
  await undo(hook)
  assert.equal(folder.read('hook'), second, 'what was taken back can be put back')
  clock.advance(86_400_000)
  await assert.rejects(undo(hook), { code: 'secrets.no_undo' })
  forgetPrevious(deps)
  assert.deepEqual([folder.previous(), records.of('hook')!.undoUntil, leftOvers(folder)], [[], undefined, []])
})

test('a new value reaches 1Password, sops, the keychain, the vault and age at home, never as an argument', { skip }, async (t) => {
  const { home, programs, folder, write, rotate } = desk(t, { op: { 'Home/Shop': { category: 'API_CREDENTIAL', fields: [{ label: 'username', value: 'me' }, { label: 'credential', value: 'old' }] } }, keychain: { 'shop/me': 'old' }, vaultPassword: 'open' })
  const identity = join(home, 'key.txt')
  execFileSync('age-keygen', ['-o', identity], { stdio: 'ignore' })
  execFileSync('age', ['--encrypt', '--identity', identity, '--output', join(home, 'a.age')], { input: 'old\n' })
  const vault = write('v.yaml', `$ANSIBLE_VAULT;1.1;AES256\n${Buffer.from('# kept\nmail: { password: old, user: me }\n').toString('base64')}\n`, 0o640)
  programs.set({ ...programs.state(), sops: { [join(home, 's.yaml')]: { smtp: { password: 'old' } } } })
  const sources = [
    secretSource('op', op), secretSource('sops', { from: 'sops', file: join(home, 's.yaml'), key: ['smtp', 'password'] }), secretSource('keychain', { from: 'keychain', service: 'shop', account: 'me' }),
    secretSource('vault', { from: 'ansible-vault', file: vault, key: ['mail', 'password'], passwordFile: write('vault-password', 'open') }), secretSource('age', { from: 'age', file: join(home, 'a.age'), identity }),
  ]
  for (const source of sources) await rotate(source)
  const { op: items, sops, keychain } = programs.state()
  assert.deepEqual([items!['Home/Shop']!.fields, sops![join(home, 's.yaml')], keychain!['shop/me']], [[{ label: 'username', value: 'me' }, { label: 'credential', value: 'typed anew' }], { smtp: { password: 'typed anew' } }, 'typed anew'])
  assert.equal(Buffer.from(readFileSync(vault, 'utf8').split('\n')[1]!, 'base64').toString(), '# kept\nmail: { password: typed anew, user: me }\n')
  assert.equal(statSync(vault).mode & 0o777, 0o640, 'the mode of a file of the operator stays')
  assert.equal(execFileSync('/usr/bin/age', ['--decrypt', '--identity', identity, join(home, 'a.age')]).toString(), 'typed anew\n')
  assert.deepEqual([...folder.list().keys()].map((name) => folder.read(name)), Array(5).fill('typed anew'))
  assert.doesNotMatch(JSON.stringify(programs.calls().map(({ args }) => args)), /typed/)
})

test('a value that a program makes is kept from the moment that it is there: who dies on the way is followed by one that goes on with it', async (t) => {
  const { folder, write, programs, rotate, deps } = desk(t, { op: { 'Home/Shop': opItem('old') } })
  const program = write('make', `#!/bin/sh\necho made >> ${folder.path}/../made\nwc -l < ${folder.path}/../made | sed 's/^ */key /'\n`, 0o700)
  const source = secretSource('token', op, { by: { command: [program] } })
  folder.write('token', 'old')
  const died = new Error('died')
  await assert.rejects(rotateSecret({ ...deps, record: async () => { throw died } }, source), died)
  assert.equal(programs.state().op!['Home/Shop']!.fields[0]!.value, 'old')
  assert.deepEqual([await rotate(source), programs.state().op!['Home/Shop']!.fields[0]!.value, folder.read('token')], [
    { name: 'token', state: 'rotated', resumed: true, undoUntil: '2026-11-29T08:00:00.000Z' }, 'key 1', 'key 1',
  ])
  assert.deepEqual(leftOvers(folder), [])
})

/** Dies at one point of its way, and does nothing after that: neither tidy up nor give up. */
function dyingAt(point: string, { deps, folder, records }: ReturnType<typeof desk>): RotateDeps {
  let [changes, dead] = [0, false]
  const die = (here: string) => {
    dead ||= here === point
    if (dead) throw new Error(`died at ${point}`)
  }
  return {
    ...deps,
    record: async () => die('record'),
    records: { ...records, change: (...given: Parameters<typeof records.change>) => (die(['change', 'changed'][changes++]!), records.change(...given)) },
    folder: {
      ...folder,
      write: (name: string, value: string) => (die(`write ${name}`), folder.write(name, value)),
      writeOwn: (...[file, content]: Parameters<typeof folder.writeOwn>) => (die(`write ${file}`), folder.writeOwn(file, content)),
      removeOwn: (file: Parameters<typeof folder.removeOwn>[0]) => (die(`remove ${file}`), folder.removeOwn(file)),
    },
    run: async (call: Parameters<typeof deps.run>[0]) => {
      if (call.args[1] === 'edit') die('source')
      return deps.run(call)
    },
  }
}

const points = (own: string) => [`write .${own}-token`, 'record', 'write .before-token', 'source', 'write token', 'change', 'write .previous-token', 'remove .before-token', 'changed', `remove .${own}-token`]

test('wherever it dies, the next call ends with one value at the source and for the processes, and with the one before kept', async (t) => {
  const source = secretSource('token', op)
  for (const [act, own, value, before] of [['rotate', 'next', 'typed anew', 'old'], ['undo', 'undo', 'old', 'typed anew']] as const) {
    for (const point of points(own)) {
      const made = desk(t, { op: { 'Home/Shop': opItem('old') } })
      const { folder, programs, rotate, undo } = made
      folder.write('token', 'old')
      if (act === 'undo') await rotate(source)
      const again = act === 'undo' ? undo : rotate
      await assert.rejects((act === 'undo' ? undoRotation : rotateSecret)(dyingAt(point, made), source), /died at/, `${act} ${point}`)
      assert.deepEqual(folder.unfinished(), point === `write .${own}-token` ? [] : ['token'], `${act} ${point}`)
      await again(source)
      assert.deepEqual([programs.state().op!['Home/Shop']!.fields[0]!.value, folder.read('token'), folder.readOwn('.previous-token'), leftOvers(folder)], [value, value, before, []], `${act} ${point}`)
    }
  }
})

test('wherever a second rotation dies, undo brings back the last value that was in force, and the one before that is not lost until the new one is in force', async (t) => {
  const source = secretSource('token', op)
  for (const point of points('next')) {
    const made = desk(t, { op: { 'Home/Shop': opItem('first') } })
    const { folder, programs, deps, undo } = made
    const atSource = () => programs.state().op!['Home/Shop']!.fields[0]!.value
    folder.write('token', 'first')
    await rotateSecret({ ...deps, type: async () => 'second' }, source)
    await assert.rejects(rotateSecret(dyingAt(point, made), source), /died at/, point)
    const [left, inForce] = [atSource(), folder.read('token')]
    const kept = ['.previous-token', '.before-token'].map((file) => folder.readOwn(file as '.previous-token'))
    assert(kept.includes(inForce === 'second' ? 'first' : 'second'), `${point}: ${kept.join()}`)
    await undo(source)
    const back = left === 'typed anew' ? 'second' : 'first'
    assert.deepEqual([atSource(), folder.read('token'), leftOvers(folder)], [back, back, []], point)
  }
})

test('a second rotation that fails leaves the value to go back to as it was, wherever the secret is at home', async (t) => {
  const home = desk(t)
  const hook = secretSource('hook', { from: 'made' }, { by: 'typed' })
  home.folder.write('hook', 'first')
  await home.rotate(hook)
  const full = { ...home.deps, type: async () => 'third', folder: { ...home.folder, write: () => { throw new Error('no space left on device') } } }
  await assert.rejects(rotateSecret(full, hook), /no space/)
  await home.undo(hook)
  assert.deepEqual([home.folder.read('hook'), home.folder.readOwn('.previous-hook'), leftOvers(home.folder)], ['first', 'typed anew', []])

  const { folder, programs, deps, rotate, undo } = desk(t, { op: { 'Home/Shop': opItem('first') } })
  const token = secretSource('token', op)
  folder.write('token', 'first')
  await rotate(token)
  const deaf = { ...deps, type: async () => 'third', run: async (call: Parameters<typeof deps.run>[0]) => (call.args[1] === 'edit' ? Buffer.from('ID: abc') : deps.run(call)) }
  await assert.rejects(rotateSecret(deaf, token), { code: 'secrets.readback' })
  assert.deepEqual(folder.unfinished(), [], 'nothing was changed anywhere')
  await undo(token)
  assert.deepEqual([programs.state().op!['Home/Shop']!.fields[0]!.value, folder.read('token')], ['first', 'first'])
})

test('what a rotation that failed left at the source never was in force: neither undo, nor the next rotation, nor rendering makes it the value to go back to', async (t) => {
  const token = secretSource('token', op)
  for (const next of ['undo', 'rotate', 'render'] as const) {
    const { folder, programs, deps, rotate, undo, records } = desk(t, { op: { 'Home/Shop': opItem('first') } })
    const atSource = () => programs.state().op!['Home/Shop']!.fields[0]!.value
    folder.write('token', 'first')
    await rotateSecret({ ...deps, type: async () => 'second' }, token)
    const mangles = { ...deps, run: async (call: Parameters<typeof deps.run>[0]) => (call.args[1] === 'edit' ? (programs.set({ ...programs.state(), op: { 'Home/Shop': opItem('mangled') } }), Buffer.from('ID: abc')) : deps.run(call)) }
    await assert.rejects(rotateSecret(mangles, token), { code: 'secrets.readback' })
    assert.deepEqual([folder.read('token'), folder.readOwn('.previous-token'), folder.unfinished()], ['second', 'first', ['token']])
    if (next === 'undo') {
      assert.equal((await undo(token)).undoUntil, null, 'what was mangled cannot be had again')
      assert.deepEqual([atSource(), folder.read('token'), folder.readOwn('.previous-token'), leftOvers(folder)], ['second', 'second', 'first', []])
      continue
    }
    if (next === 'rotate') await rotate(token)
    else await renderSecrets(deps, [token])
    assert.deepEqual([folder.readOwn('.previous-token'), records.of('token')!.undoUntil, leftOvers(folder)], ['second', '2026-11-29T08:00:00.000Z', []])
    await undo(token)
    assert.deepEqual([atSource(), folder.read('token')], ['second', 'second'])
  }
})

test('an undo that died can be ended after its day too, and one with nothing to do leaves no value behind', async (t) => {
  const source = secretSource('token', op)
  const made = desk(t, { op: { 'Home/Shop': opItem('old') } })
  const { folder, programs, clock, rotate, undo } = made
  folder.write('token', 'old')
  await rotate(source)
  await assert.rejects(undoRotation(dyingAt('write token', made), source), /died at/)
  clock.advance(2 * 86_400_000)
  forgetPrevious(made.deps)
  assert.equal((await undo(source)).resumed, true)
  assert.deepEqual([programs.state().op!['Home/Shop']!.fields[0]!.value, folder.read('token'), leftOvers(folder)], ['old', 'old', []])
  // the operator put the same at both by hand meanwhile
  programs.set({ op: { 'Home/Shop': opItem('typed anew') } })
  folder.write('token', 'typed anew')
  await assert.rejects(undo(source), { code: 'secrets.same' })
  assert.deepEqual(folder.unfinished(), [])
})

test('a login of 1Password is left alone, because its passkey would be lost; so is a field that cannot be told from another', async (t) => {
  const { programs, folder, rotate } = desk(t, { op: { 'Home/Shop': opItem('old', 'LOGIN') } })
  await assert.rejects(rotate(secretSource('token', op)), { code: 'secrets.op_login', message: /without losing its passkey/ })
  programs.set({ op: { 'Home/Shop': { category: 'PASSWORD', fields: [{ label: 'credential', value: 'a' }, { label: 'credential', value: 'a' }] } } })
  await assert.rejects(rotate(secretSource('token', op)), { code: 'secrets.op_field', message: /means 2 fields/ })
  assert.deepEqual([folder.read('token'), leftOvers(folder)], [undefined, []])
})

test('a source that does not give back what was written leaves the processes what they had; one that cannot be written says how it is changed', async (t) => {
  const { folder, programs, deps, rotate } = desk(t, { op: { 'Home/Shop': opItem('old') } })
  folder.write('token', 'old')
  const deaf = { ...deps, run: async (call: Parameters<typeof deps.run>[0]) => (call.args[1] === 'edit' ? Buffer.from('ID: abc') : deps.run(call)) }
  await assert.rejects(rotateSecret(deaf, secretSource('token', op)), { code: 'secrets.readback' })
  assert.equal(folder.read('token'), 'old')
  await assert.rejects(rotate(secretSource('forge', { from: 'systemd', credential: 'forge' })), { code: 'secrets.elsewhere', message: /systemd-creds encrypt.*castellan secrets render forge/ })
  programs.set({ op: { 'Home/Shop': opItem('typed anew') } })
  folder.write('token', 'typed anew')
  await assert.rejects(rotate(secretSource('token', op)), { code: 'secrets.same' })
  rmSync(join(folder.path, 'token'))
})
