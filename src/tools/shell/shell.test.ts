import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { openTestRun, type TestRun } from '../../../test/support/tool-run.ts'
import type { Fault } from '../../kernel/fault.ts'
import type { Label, Level } from '../../labels/index.ts'
import { callTool } from '../call-tool.ts'
import { createSandbox } from '../../sandbox/index.ts'
import type { Sandbox, ShellRule } from '../../sandbox/index.ts'
import type { ToolContext } from '../tool-context.ts'
import { createShell } from './create-shell.ts'
import { shellRun } from './run.ts'

const skip = existsSync('/usr/bin/bwrap') ? false : 'bubblewrap is missing: apt install bubblewrap'
const database = await testDatabase()
const base = realpathSync(mkdtempSync(join(tmpdir(), 'castellan-shell-')))
chmodSync(base, 0o755)
after(() => rmSync(base, { recursive: true, force: true }))
const vault = join(base, 'house/vault')
mkdirSync(join(vault, '.git'), { recursive: true })
writeFileSync(join(vault, 'note.md'), 'a note\n')
writeFileSync(join(vault, '.env'), 'TOKEN=hidden-token\n')
writeFileSync(join(vault, '.git/config'), 'hidden-config\n')
const script = join(base, 'house/show.sh')
writeFileSync(script, '#!/bin/sh\ncat "$@"\n')
chmodSync(script, 0o755)
symlinkSync('/bin/sh', join(base, 'innocent'))
copyFileSync('/bin/sh', join(base, 'copy'))
copyFileSync('/usr/bin/id', join(base, 'setuid'))
chmodSync(join(base, 'setuid'), 0o4755)

const sandbox = await createSandbox()
let here: TestRun
beforeEach(async () => {
  here = await openTestRun(database)
})

type Output = { exitCode: number; stdout: string; stderr: string; sha256: string }
async function run(argv: string[], more: { folders?: string[]; cwd?: string; timeoutMs?: number } = {}, { level = 2, sandbox: inside = sandbox, rules = [] }: { level?: Level; sandbox?: Sandbox; rules?: ShellRule[] } = {}) {
  const labelOf = (): Label => ({ level, integrity: 'untrusted', lanes: ['house'] })
  const shell = createShell({
    sandbox: inside, database: database.as('castellan_worker_private'), labelOf, ...here,
    allow: ['/usr/bin/cat', '/usr/bin/ls', '/usr/bin/yes', '/usr/bin/sleep', '/bin/sh', '/usr/bin/env', '/usr/bin/timeout', '/usr/bin/find', '/usr/bin/rm', '/usr/bin/sudo', script, join(base, 'copy'), join(base, 'setuid')], rules,
    folders: [{ name: 'vault', path: vault, access: 'write', label: labelOf() }], places: { house: join(base, 'house'), roots: [] },
  })
  const context = { ...here, shell, signal: new AbortController().signal, wasMadeWithoutModel: () => false } as Partial<ToolContext> as ToolContext
  const { output, label } = await callTool(shellRun, context, { argv, ...more })
  return { ...(output as Output), label }
}

test('only a program that the house allows is run, by its true path, and never a shell', async () => {
  for (const argv of [['/usr/bin/id'], ['cat'], ['../../bin/cat'], ['/usr/bin/cat\0'], ['/nowhere/cat']]) {
    await assert.rejects(run(argv), (fault: { kind: string }) => ['invalid', 'refused', 'missing'].includes(fault.kind), argv[0])
  }
  for (const argv of [['/bin/sh', '-c', 'id'], ['/usr/bin/env', '/usr/bin/dash', '-c', 'id'], [join(base, 'innocent'), '-c', 'id'], [join(base, 'copy'), '-c', 'id'], [join(base, 'setuid')], ['/usr/bin/cat', '/etc/passwd']]) {
    await assert.rejects(run(argv), (fault: Fault) => fault.kind === 'refused' && ['shell.forbidden', 'shell.not_allowed'].includes(fault.code), argv[0])
  }
})

test('a program that is started by another has to be allowed as well, and is named by its true path', async () => {
  await assert.rejects(run(['/usr/bin/env', '/usr/bin/id']), { code: 'shell.not_allowed', message: /^\/usr\/bin\/id is not among the programs of shell\.allow/ })
  await assert.rejects(run(['/usr/bin/env', 'cat']), { code: 'shell.argv', message: /not with "cat"/ })
  symlinkSync('/usr/bin/cat', join(base, 'link'))
  await assert.rejects(run(['/usr/bin/env', join(base, 'link')]), { code: 'shell.argv', message: /write \/usr\/bin\/cat instead/ })
})

test('a copy of a shell under another name is known by its bytes, and a program with rights of its owner by its mode', async () => {
  await assert.rejects(run([join(base, 'copy'), 'x']), { code: 'shell.forbidden', message: /copy starts any other program/, details: { rule: 'interpreter' } })
  await assert.rejects(run([join(base, 'setuid')]), { code: 'shell.forbidden', details: { rule: 'privilege' } })
})

test('what could take something away is not run but proposed, to be tried out and signed', async () => {
  for (const argv of [['/usr/bin/rm', '-rf', 'x'], ['/usr/bin/timeout', '5', '/usr/bin/rm', 'x'], ['/usr/bin/find', '.', '-delete']]) {
    await assert.rejects(run(argv), { kind: 'refused', code: 'shell.dry_run', message: /propose it with outbox\.propose as kind shell\.act/ }, argv[0])
  }
})

test('a rule of the house forbids more, and is said', async () => {
  const rules: ShellRule[] = [{ program: 'cat', arguments: ['*.key'], outcome: 'forbidden', reason: 'keys are not read' }]
  await assert.rejects(run(['/usr/bin/env', '/usr/bin/cat', 'a.key'], {}, { rules }), { code: 'shell.forbidden', message: '/usr/bin/cat is forbidden by a rule of the house: keys are not read' })
})

test('without a sandbox that holds, nothing is run', async () => {
  const unsafe = await createSandbox({ bwrapPath: '/nowhere/bwrap' })
  await assert.rejects(run(['/usr/bin/cat'], {}, { sandbox: unsafe }), { kind: 'refused', code: 'sandbox.unsafe' })
})

describe('an allowed program', { skip }, () => {
  test('reads a declared folder, tells its digest, and raises the run by what it could have read', async () => {
    const { stdout, exitCode, sha256, label } = await run(['/usr/bin/cat', 'note.md'], { folders: ['vault'], cwd: 'vault' })
    assert.deepEqual([stdout, exitCode], ['a note\n', 0])
    assert.equal(sha256, createHash('sha256').update(readFileSync('/usr/bin/cat')).digest('hex'))
    assert.deepEqual(label, { level: 2, integrity: 'untrusted', lanes: ['house', 'private'] })
  })

  test('may be started by another that is allowed too', async () => {
    const { stdout } = await run(['/usr/bin/timeout', '-k', '1', '5', '/usr/bin/env', 'A=b', script, 'note.md'], { folders: ['vault'], cwd: 'vault' })
    assert.equal(stdout, 'a note\n')
  })

  test('may be a script of its own that names a shell', async () => {
    assert.equal((await run([script, join(vault, 'note.md')], { folders: ['vault'] })).stdout, 'a note\n')
  })

  test('sees no secrets of the folder, cannot write in it, and sees no other folder', async () => {
    const { stdout, stderr, exitCode } = await run([script, join(vault, '.env'), join(vault, '.git/config'), script], { folders: ['vault'] })
    assert.doesNotMatch(stdout + stderr, /hidden-/)
    assert.equal(exitCode, 1)
    assert.match((await run([script, join(vault, 'note.md')])).stderr, /No such file/)
    await assert.rejects(run(['/usr/bin/cat'], { folders: ['etc'] }), { kind: 'missing', code: 'shell.folder' })
    await assert.rejects(run(['/usr/bin/cat'], { cwd: 'vault' }), { code: 'shell.cwd' })
    await assert.rejects(run(['/usr/bin/cat'], { cwd: 'vault/../..', folders: ['vault'] }), { code: 'files.path' })
  })

  test('does not reach a socket that lies in the folder', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(vault, 'socket'), resolve))
    const { stdout } = await run(['/usr/bin/ls', '-l', vault], { folders: ['vault'] })
    await new Promise((resolve) => server.close(resolve))
    assert.match(stdout, /^crw.* socket$/m)
  })

  test('is not run over a folder that holds more than the job reads', async () => {
    await assert.rejects(run(['/usr/bin/ls', vault], { folders: ['vault'] }, { level: 3 }), { kind: 'refused', code: 'shell.level', message: /holds P3 local only and the job reads up to P2 internal/ })
    writeFileSync(join(vault, 'raised.md'), '---\nlabel: P3\n---\n')
    await assert.rejects(run(['/usr/bin/ls', vault], { folders: ['vault'] }), { code: 'shell.level' })
    rmSync(join(vault, 'raised.md'))
    assert.equal(here.label().level, 1)
  })

  test('that prints a secret makes the run P3', async () => {
    const { label } = await run(['/usr/bin/cat', script])
    assert.equal(label.level, 1)
    here = await openTestRun(database)
    writeFileSync(script, '#!/bin/sh\necho "-----BEGIN PRIVATE KEY-----"\n')
    assert.equal((await run([script])).label.level, 3)
  })

  test('is ended when it takes too long or writes too much', async () => {
    await assert.rejects(run(['/usr/bin/sleep', '60'], { timeoutMs: 200 }), { kind: 'timeout', code: 'shell.timeout' })
    await assert.rejects(run(['/usr/bin/yes']), { kind: 'invalid', code: 'shell.output' })
  })
})
