import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createSandbox } from './create-sandbox.ts'
import type { SandboxCommand } from './sandbox.ts'

const skip = existsSync('/usr/bin/bwrap') ? false : 'bubblewrap is missing: apt install bubblewrap'
const root = process.getuid?.() === 0
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'castellan-sandbox-')))
chmodSync(folder, 0o777)
after(() => rmSync(folder, { recursive: true, force: true }))

function fakeBubblewrap(name: string, script: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  chmodSync(path, 0o755)
  return path
}

test('without bubblewrap no command is run, and the reason names the package', async () => {
  const sandbox = await createSandbox({ bwrapPath: '/nowhere/bwrap' })
  await assert.rejects(sandbox.run({ argv: ['/usr/bin/true'] }), { code: 'sandbox.unsafe', kind: 'refused', message: /install the package bubblewrap/ })
})

test('without prlimit, which holds a command to its limits, no command is run either', { skip }, async () => {
  const sandbox = await createSandbox({ prlimitPath: '/nowhere/prlimit' })
  await assert.rejects(sandbox.run({ argv: ['/usr/bin/true'] }), { code: 'sandbox.unsafe', message: /prlimit is missing.*install the package util-linux/ })
})

test('a bubblewrap that confines nothing is found out by the canary', { skip: process.platform !== 'linux' }, async () => {
  // without limits too: outside of a namespace they would count what others run under this uid
  const behind = 'while [ "$1" != "--" ]; do shift; done; shift'
  const sandbox = await createSandbox({ bwrapPath: fakeBubblewrap('bare', `${behind}; case "$1" in */prlimit) ${behind};; esac; exec "$@"`) })
  const status = await sandbox.status()
  assert.equal(status.ok, false)
  const reason = status.ok ? '' : status.reason
  for (const escape of ['wrote a file of the host', 'read a planted secret', 'connected to the loopback address', 'connected to a Unix socket']) {
    assert.match(reason, new RegExp(escape))
  }
  await assert.rejects(sandbox.run({ argv: ['/usr/bin/true'] }), { code: 'sandbox.unsafe' })
})

test('a sandbox that shares the network, or the processes, of the host is not ok', { skip }, async () => {
  const keep = 'for a in "$@"; do shift; [ "$a" = "--unshare-all" ] && continue; set -- "$@" "$a"; done'
  const shared = await createSandbox({ bwrapPath: fakeBubblewrap('net', `${keep}; exec /usr/bin/bwrap --unshare-pid --unshare-ipc --unshare-uts "$@"`) })
  assert.match(JSON.stringify(await shared.status()), /connected to/)
  const processes = await createSandbox({ bwrapPath: fakeBubblewrap('pid', `${keep}; exec /usr/bin/bwrap --unshare-net --unshare-ipc --unshare-uts "$@"`) })
  assert.match(JSON.stringify(await processes.status()), root ? /shares the pid namespace/ : /signalled its parent/)
})

test('a sandbox in which the canary cannot even work is not ok', { skip }, async () => {
  const sandbox = await createSandbox({ bwrapPath: fakeBubblewrap('dead', 'echo no namespaces here >&2; exit 1') })
  assert.deepEqual(await sandbox.status(), { ok: false, reason: 'the canary could not do its work in the sandbox (exit 1: no namespaces here)' })
})

describe('a command in the sandbox', { skip }, async () => {
  const sandbox = await createSandbox({ scratch: folder })
  const run = async (script: string, more: Partial<SandboxCommand> = {}) => {
    const result = await sandbox.run({ argv: ['/bin/sh', '-c', script], ...more })
    return { ...result, stdout: result.stdout.toString('utf8'), stderr: result.stderr.toString('utf8') }
  }

  test('runs, because the canary was held', async () => {
    assert.equal((await sandbox.status()).ok, true)
  })

  test('has no capability, no network and nothing of the environment', async () => {
    process.env.CASTELLAN_TEST_SECRET = 'do not pass on'
    const { stdout } = await run('env; id -u; grep CapEff /proc/self/status; ls /sys 2>&1; tail -n +3 /proc/net/dev')
    delete process.env.CASTELLAN_TEST_SECRET
    assert.doesNotMatch(stdout, /do not pass on/)
    assert.match(stdout, /^65534$/m)
    assert.match(stdout, /CapEff:\s+0{16}/)
    assert.doesNotMatch(stdout, /eth|wlan|enp/)
  })

  test('writes in a folder opened for writing, not in one opened for reading, and nowhere else', async () => {
    writeFileSync(join(folder, 'note'), 'hello')
    assert.equal((await run(`cat ${folder}/note; echo more > ${folder}/made`, { folders: [{ path: folder, access: 'write' }] })).stdout, 'hello')
    assert.equal(readFileSync(join(folder, 'made'), 'utf8'), 'more\n')
    assert.notEqual((await run(`echo x > ${folder}/note`, { folders: [{ path: folder, access: 'read' }] })).exitCode, 0)
    assert.equal(readFileSync(join(folder, 'note'), 'utf8'), 'hello')
    assert.match((await run(`cat ${folder}/note`)).stderr, /No such file/)
    for (const place of ['/', '/usr/', '/etc/', '/dev/shm/', '/proc/sys/kernel/']) assert.notEqual((await run(`echo x > ${place}x`)).exitCode, 0, place)
  })

  test('does not follow a symbolic link out of its folder', async () => {
    const { stderr } = await run(`ln -sf /etc/hostname ${folder}/out; cat ${folder}/out`, { folders: [{ path: folder, access: 'write' }] })
    assert.match(stderr, /No such file/)
  })

  test('ends with its whole family when its time is over', async () => {
    const before = performance.now()
    // the command line of an endless loop names this test's own marker
    const marker = `loop-${process.pid}`
    const result = await run(`: ${marker}; (while :; do :; done) & (while :; do :; done) & wait`, { limits: { timeoutMs: 300 } })
    assert.equal(result.ended, 'timeout')
    assert.ok(performance.now() - before < 30_000)
    assert.ok(!execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(marker))
  })

  test('ends when it writes too much, and keeps what it wrote until then', async () => {
    const result = await run('yes', { limits: { outputBytes: 1_000 } })
    assert.equal(result.ended, 'output')
    assert.equal(result.stdout.length, 1_000)
  })

  test('is held to its memory, its files and its processes', async () => {
    // tail keeps a line that does not end in memory
    const hoard = 'head -c 100000000 /dev/zero | tail -c 100000000 | wc -c'
    assert.equal((await run(hoard)).stdout.trim(), '100000000')
    assert.match((await run(hoard, { limits: { memoryBytes: 30_000_000 } })).stderr, /memory exhausted|Killed/)
    const files = await run(`head -c 100000 /dev/zero > ${folder}/big`, { folders: [{ path: folder, access: 'write' }], limits: { fileBytes: 5_000 } })
    assert.notEqual(files.exitCode, 0)
    assert.equal(readFileSync(join(folder, 'big')).length, 5_000)
    assert.match((await run('for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait', { limits: { processes: 5 } })).stderr, /fork/i)
  })

  test('is held to its time on the processor, whatever time is left on the clock', async () => {
    const result = await run('while :; do :; done', { limits: { cpuSeconds: 1, timeoutMs: 60_000 } })
    assert.deepEqual([result.ended === 'timeout', result.exitCode !== 0], [false, true])
  })

  for (const [memory, memoryGroups] of [['by the kernel', undefined], ['by watching', false]] as const) {
    const own = await createSandbox({ scratch: folder, memoryGroups })
    const status = await own.status()
    const skip = status.ok && status.memory === memory ? false : 'this process may not make control groups that count memory'
    test(`is held to its memory with all its family, ${memory}`, { skip }, async () => {
      // each of the five keeps 60 MB, which it may have by itself
      const family = (each: number) => `for i in 1 2 3 4 5; do (head -c ${each} /dev/zero | tail -c ${each} | (sleep 3; wc -c)) & done; wait`
      const under = async (each: number) => await own.run({ argv: ['/bin/sh', '-c', family(each)], limits: { memoryBytes: 150 * 1024 * 1024, timeoutMs: 60_000 } })
      const small = await under(2_000_000)
      assert.deepEqual([small.ended, small.stdout.toString().trim().split(/\s+/)], ['exit', Array(5).fill('2000000')])
      const large = await under(60_000_000)
      assert.notDeepEqual(large.stdout.toString().trim().split(/\s+/), Array(5).fill('60000000'))
      assert.equal(large.ended, 'memory')
    })
  }

  test('is ended by the signal of its run', async () => {
    await assert.rejects(run('while :; do :; done', { signal: AbortSignal.timeout(150) }), { name: 'TimeoutError' })
  })

  test('is not given folders that would undo the sandbox', async () => {
    for (const path of ['/', '/etc', '/etc/ssl', '/proc/self', '/run/castellan', '/home', '/usr', `${folder}/../x`, 'relative']) {
      await assert.rejects(run('true', { folders: [{ path, access: 'read' }] }), { code: 'sandbox.folder' }, path)
    }
  })

  test('is not started when it is one that no command of the house is, under its own name or that of a link', async () => {
    symlinkSync('/usr/bin/su', join(folder, 'link'))
    copyFileSync('/usr/bin/true', join(folder, 'rights'))
    chmodSync(join(folder, 'rights'), 0o4755)
    for (const program of ['/usr/bin/su', join(folder, 'link'), join(folder, 'rights')]) await assert.rejects(sandbox.run({ argv: [program] }), { code: 'shell.forbidden' }, program)
  })

  test('is confined as well when an ordinary user without capabilities starts it', { skip: root ? false : 'only root can become another user' }, () => {
    const code = `import { createSandbox } from ${JSON.stringify(new URL('create-sandbox.ts', import.meta.url).href)}
      const sandbox = await createSandbox({ scratch: ${JSON.stringify(folder)} })
      console.log(process.getuid(), JSON.stringify(await sandbox.status()))`
    const as = ['--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs', '/usr/bin/unshare', '--user', '--map-current-user', '--net']
    const said = execFileSync('/usr/bin/setpriv', [...as, process.execPath, '--input-type=module', '-e', code], { encoding: 'utf8', cwd: '/' })
    assert.equal(said.trim(), '65534 {"ok":true,"memory":"by watching"}')
  })
})
