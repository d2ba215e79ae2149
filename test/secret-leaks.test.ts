import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { secretPrograms, type ProgramState } from './support/secret-programs.ts'
import { formsOf, watchProcesses } from './support/watch-processes.ts'

const main = join(import.meta.dirname, '..', 'bin', 'castellan.js')
const skip = process.platform !== 'linux' ? 'there is no /proc' : existsSync('/usr/bin/age') ? false : 'age is missing: apt install age'
/** One byte at most, which nobody is given; who is not root cannot raise what his shell has set to none. */
const isNone = process.platform === 'linux' && process.getuid!() !== 0 && /^Max core file size\s+\S+\s+0\s/m.test(readFileSync('/proc/self/limits', 'utf8'))
const coreLimit = isNone ? /^Max core file size\s+0\s+0\s/m : /^Max core file size\s+1\s+1\s/m
const names = ['op', 'sops', 'age', 'keychain', 'vault', 'next', 'password'] as const
/** With a character that each encoding writes otherwise. */
const values = Object.fromEntries(names.map((name) => [name, `${name}-?/${randomBytes(18).toString('base64url')}`])) as Record<(typeof names)[number], string>
const needles = Object.assign({}, ...names.map((name) => formsOf(name, values[name]))) as Record<string, string>

interface Desk {
  readonly home: string
  readonly programs: ReturnType<typeof secretPrograms>
  /** Runs the program itself, as a process of its own; what it said is searched. */
  castellan(argv: string[], input?: string, env?: NodeJS.ProcessEnv): { child: ReturnType<typeof spawn>; ended: Promise<{ exit: number | string; said: string }> }
}

/** A home whose secrets come from programs that wait until somebody has looked at their arguments and environment. */
function desk(t: TestContext, state: ProgramState = {}): Desk {
  const home = mkdtempSync(join(tmpdir(), 'castellan-leaks-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'house'))
  const identity = join(home, 'key.txt')
  execFileSync('age-keygen', ['-o', identity], { stdio: 'ignore' })
  execFileSync('/usr/bin/age', ['--encrypt', '--identity', identity, '--output', join(home, 'a.age')], { input: values.age })
  const content = Buffer.from(values.vault).toString('base64')
  writeFileSync(join(home, 'v.yaml'), `$ANSIBLE_VAULT;1.1;AES256\n${[...content].reverse().join('')}\n`, { mode: 0o600 })
  writeFileSync(join(home, 'password'), values.password, { mode: 0o600 })
  writeFileSync(join(home, 'house', 'castellan.yaml'), `secrets:
  op: { from: op, reference: "op://Home/Shop/credential" }
  sops: { from: sops, file: ${home}/s.yaml, key: [smtp, password] }
  age: { from: age, file: ${home}/a.age, identity: ${identity} }
  keychain: { from: keychain, service: shop, account: me }
  vault: { from: ansible-vault, file: ${home}/v.yaml, password_file: ${home}/password }
`)
  const programs = secretPrograms(t, {
    op: { 'Home/Shop': { category: 'PASSWORD', fields: [{ label: 'credential', value: values.op }] } }, sops: { [`${home}/s.yaml`]: { smtp: { password: values.sops } } },
    keychain: { 'shop/me': values.keychain }, vaultPassword: values.password, backwards: true, loud: values.op, watched: true, ...state,
  })
  return {
    home, programs,
    castellan(argv, input = '', env = {}) {
      const child = spawn(process.execPath, [main, 'secrets', ...argv, '--home', home], { env: { PATH: `${programs.path}:/usr/bin:/bin`, HOME: home, CASTELLAN_DEBUG: '1', ...env }, cwd: home })
      child.stdin!.on('error', () => {})
      child.stdin!.end(input)
      const ended = Promise.all([once(child, 'close') as Promise<[number | null, string | null]>, text(child.stdout!), text(child.stderr!)])
        .then(([[code, signal], out, err]) => ({ exit: code ?? signal!, said: out + err }))
      return { child, ended }
    },
  }
}

/** Everything that lies in the home besides the secrets themselves, and what was said. */
function assertSilent(home: string, said: string): void {
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(home, file)).isFile())
  const meant = (file: string) => file === 'password' || /^secrets\/(?:[^.]|\.previous-|\.next-)/.test(file)
  const texts = { 'what was said': said, ...Object.fromEntries(files.filter((file) => !meant(file)).map((file) => [file, readFileSync(join(home, file), 'latin1')])) }
  for (const [where, content] of Object.entries(texts)) {
    for (const [name, needle] of Object.entries(needles)) assert.ok(!content.includes(needle), `${name} stands in ${where}`)
  }
}

test('who looks for a secret in arguments and environments finds one that is there', { skip }, async (t) => {
  const { programs } = desk(t)
  const watch = await watchProcesses(t, needles, programs.path)
  const leaks = [spawn('sleep', ['60', values.op].slice(0, 1), { env: { TOKEN: values.op } }), spawn('sh', ['-c', 'sleep 60; true', Buffer.from(values.sops).toString('hex')])]
  t.after(() => leaks.forEach((child) => child.kill('SIGKILL')))
  const { hits } = await watch.stop()
  assert.ok(hits['op in environ'] && hits['sops as hex in cmdline'], JSON.stringify(hits))
})

test('rendering and rotating leave no secret in arguments, environments, logs and outputs', { skip, timeout: 120_000 }, async (t) => {
  const { home, programs, castellan } = desk(t)
  const watch = await watchProcesses(t, needles, programs.path)
  const rendered = await castellan(['render', '--json']).ended
  assert.equal(rendered.exit, 0, rendered.said)
  for (const name of ['op', 'sops', 'age', 'keychain', 'vault'] as const) assert.equal(readFileSync(join(home, 'secrets', name), 'utf8').trim(), values[name])
  let said = rendered.said
  for (const name of ['op', 'age', 'keychain']) {
    const rotated = await castellan(['rotate', name, '--value-fd', '0', '--no-input'], `${values.next}\n`).ended
    assert.equal(rotated.exit, 0, rotated.said)
    assert.equal(readFileSync(join(home, 'secrets', name), 'utf8').trim(), values.next)
    said += rotated.said
  }
  said += (await castellan(['rotate', 'op', '--undo', '--yes']).ended).said
  assert.equal(readFileSync(join(home, 'secrets', 'op'), 'utf8').trim(), values.op)
  const { hits, seen } = await watch.stop()
  assert.deepEqual(hits, {})
  const called = programs.calls()
  assert.ok(called.length >= 17 && called.every(({ pid }) => seen.includes(pid)), 'each program was looked at while it ran')
  assertSilent(home, said)
})

const troubles: Record<string, { behaviour: NonNullable<ProgramState['behaviour']>; exit: number; says: RegExp }> = {
  'fail and print what they hold': { behaviour: { op: 'fails', sops: 'fails', security: 'fails', 'ansible-vault': 'fails' }, exit: 7, says: /op ended with 1: what it said is not repeated/ },
  'hang with what they hold': { behaviour: { op: 'hangs', sops: 'hangs' }, exit: 7, says: /sops did not answer within 8 s and was ended/ },
  'are killed with what they hold': { behaviour: { op: 'killed', sops: 'killed', age: 'killed', security: 'killed', 'ansible-vault': 'killed' }, exit: 1, says: /age was ended by SIGKILL/ },
}

for (const [what, { behaviour, exit, says }] of Object.entries(troubles)) {
  test(`programs that ${what} bring no word of it out`, { skip, timeout: 120_000 }, async (t) => {
    const { home, programs, castellan } = desk(t, { behaviour })
    const watch = await watchProcesses(t, needles, programs.path)
    const rendered = await castellan(['render', '--patience', '8s']).ended
    assert.equal(rendered.exit, exit, rendered.said)
    assert.match(rendered.said.replaceAll(/\s+/g, ' '), says)
    const rotated = behaviour.op === 'fails' ? await castellan(['rotate', 'op', '--value-fd', '0'], values.next).ended : { exit: 5, said: '' }
    assert.equal(rotated.exit, 5)
    const { hits } = await watch.stop()
    assert.deepEqual(hits, {})
    assertSilent(home, rendered.said + rotated.said)
    for (const name of ['op', 'sops']) if (existsSync(join(programs.path, `hangs-${name}`))) assert.ok(!existsSync(`/proc/${readFileSync(join(programs.path, `hangs-${name}`), 'utf8')}`), `${name} is gone`)
  })
}

test('castellan that crashes with secrets in its hands dumps none, and the next call makes it whole', { skip, timeout: 120_000 }, async (t) => {
  const { home, programs, castellan } = desk(t, { behaviour: { sops: 'hangs' } })
  const watch = await watchProcesses(t, needles, programs.path)
  const { child, ended } = castellan(['render', '--patience', '60s'], '', { NODE_OPTIONS: '--report-uncaught-exception --report-on-fatalerror --report-on-signal' })
  while (!existsSync(join(programs.path, 'hangs-sops')) || !existsSync(join(home, 'secrets', 'op'))) await delay(20)
  assert.match(readFileSync(`/proc/${child.pid}/limits`, 'utf8'), coreLimit)
  const hanging = Number(readFileSync(join(programs.path, 'hangs-sops'), 'utf8'))
  assert.match(readFileSync(`/proc/${hanging}/limits`, 'utf8'), coreLimit, 'nor does a program that it has started')
  child.kill('SIGSEGV')
  const { exit, said } = await ended
  assert.equal(exit, 'SIGSEGV')
  process.kill(-hanging, 'SIGKILL')
  programs.set({ ...programs.state(), behaviour: {} })
  const again = await castellan(['render', '--json']).ended
  assert.equal(again.exit, 0, again.said)
  const { hits } = await watch.stop()
  assert.deepEqual(hits, {})
  assertSilent(home, said + again.said)
})

test('an error of the system is told without the value that it happened to', { skip, timeout: 60_000 }, async (t) => {
  const { home, castellan } = desk(t, { watched: false })
  mkdirSync(join(home, 'secrets', 'op'), { recursive: true })
  mkdirSync(join(home, 'secrets', '.records.json'))
  const { exit, said } = await castellan(['render', 'op', '--json']).ended
  assert.notEqual(exit, 0)
  assertSilent(home, said)
})
