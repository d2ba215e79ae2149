import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { documentFor } from '../src/outbox/connectors/connector.contract.ts'
import { createShellConnector } from '../src/outbox/connectors/shell/shell.ts'
import { sha256 } from '../src/outbox/document.ts'
import { createSandbox, type Sandbox } from '../src/sandbox/index.ts'
import { composedBy } from './support/attempt-delivery.ts'
import { battlefield, processesWith } from './support/attack.ts'
import { testDatabase } from './support/database.ts'

const skip = !existsSync('/usr/bin/bwrap') ? 'bubblewrap is missing: apt install bubblewrap' : existsSync('/usr/bin/perl') ? false : 'perl is missing: apt install perl'
const root = process.getuid?.() === 0
const rootOnly = root ? false : 'only root could do it outside of the sandbox either'
const database = await testDatabase()
const field = await battlefield(database)
const { base, vault } = field

const secret = 'the-secret-of-the-host'
const secretFile = join(base, 'secret')
writeFileSync(secretFile, `${secret}\n`, { mode: 0o644 })
const victim = spawn('/usr/bin/sleep', ['600'], { env: { CASTELLAN_ESCAPE: secret }, stdio: 'ignore' })
after(() => victim.kill('SIGKILL'))

/** `said`: the attack says itself that it worked. Otherwise the host looks. */
interface Attack {
  readonly text: string
  readonly evidence?: (output: string) => boolean
  /** Why the same is not done outside, or how it is. */
  readonly control?: { readonly skip?: string | false; readonly text?: string; readonly env?: Record<string, string> }
}
const said = (output: string) => output.includes('ESCAPED')
const tells = (output: string) => output.includes(secret)

/** Each is done as an attacker would, outside of the sandbox, where it has to work, and inside, where it must not. */
function attacks(cases: Readonly<Record<string, Attack>>): void {
  for (const [name, { text, evidence = said, control = {} }] of Object.entries(cases)) {
    test(`${name}: works outside, and not inside`, { skip: control.skip ?? false }, async () => {
      const inside = await field.inside(`${text}\necho was tried`)
      assert.equal(evidence(inside.output), false, inside.output)
      assert.match(inside.output, /was tried/, `it was held, and not just ended: ${inside.ended}`)
      assert.doesNotMatch(inside.output, /: not found|Can't locate|syntax error/, 'it has all that it takes')
      const outside = await field.outside(control.text ?? text, control.env)
      assert.equal(evidence(outside), true, `the attack itself does not work: ${outside}`)
    })
  }
}

describe('from the file system', { skip }, () => {
  symlinkSync(secretFile, join(vault, 'link'))
  symlinkSync(base, join(vault, 'up'))
  const written = join(base, 'written')
  writeFileSync(written, '')
  chmodSync(written, 0o666)
  copyFileSync('/usr/bin/id', join(vault, 'id'))
  chmodSync(join(vault, 'id'), 0o4755)
  attacks({
    'a symbolic link in the folder': { text: 'cat link up/secret', evidence: tells },
    'a symbolic link that it makes itself': { text: `ln -s ${secretFile} /tmp/mine-$$; cat /tmp/mine-$$; rm /tmp/mine-$$`, evidence: tells },
    'a hard link': { text: `ln ${secretFile} hard && cat hard; rm -f hard`, evidence: tells },
    'a path that leads upwards': { text: 'cat ../../secret', evidence: tells },
    'writing in the folder that is open for reading': { text: 'echo x > made && rm made && echo ESCAPED' },
    'writing outside': { text: `echo x >> ${written}`, evidence: () => readFileSync(written, 'utf8') !== '' },
    'writing where the system is': { text: 'for at in /usr /etc /bin /; do touch $at/.castellan-escape && rm $at/.castellan-escape && echo ESCAPED; done', control: { skip: rootOnly } },
    'remounting what is read only': {
      text: 'for at in / /usr .; do mount -o remount,rw,bind $at && echo ESCAPED; done', control: { skip: rootOnly, text: "exec unshare --mount sh -c 'mount --bind . . && cd . && mount -o remount,rw,bind . && echo ESCAPED'" },
    },
    'mounting another file system': { text: 'mount -t tmpfs none /tmp && echo ESCAPED', control: { skip: rootOnly, text: "exec unshare --mount sh -c 'mount -t tmpfs none /tmp && echo ESCAPED'" } },
    'making a device': { text: 'mknod /tmp/.castellan-device b 7 0 && rm /tmp/.castellan-device && echo ESCAPED', control: { skip: rootOnly } },
    'a setting of the kernel': { text: '(exec 3<>/proc/sys/kernel/core_pattern) && echo ESCAPED', control: { skip: rootOnly } },
    'a program with the rights of its owner': {
      text: '[ "$(./id -u)" = 0 ] && echo ESCAPED', control: { skip: rootOnly, text: `[ "$(setpriv --reuid=65534 --regid=65534 --clear-groups ./id -u)" = 0 ] && echo ESCAPED` },
    },
  })
})

describe('to other processes', { skip }, () => {
  const ptrace = process.arch === 'arm64' ? 117 : 101
  attacks({
    'the environment of who started it': { text: 'env; cat /proc/self/environ /proc/1/environ /proc/$PPID/environ', evidence: tells, control: { env: { CASTELLAN_ESCAPE: secret } } },
    'the environment of another': { text: `cat /proc/${victim.pid}/environ`, evidence: tells },
    'the files of another': { text: `cat /proc/${victim.pid}/root${secretFile} /proc/${victim.pid}/cwd/../../..${secretFile}`, evidence: tells },
    'the memory of another': { text: `perl -e 'open(my $m, "<", "/proc/${victim.pid}/mem") and print "ESCAPED\\n"'` },
    'tracing another': { text: `perl -e 'print "ESCAPED\\n" if syscall(${ptrace}, 16, ${victim.pid}, 0, 0) == 0'`, control: { skip: rootOnly } },
    'a signal to another': { text: `kill -CONT ${victim.pid} && echo ESCAPED` },
    'user namespaces of its own': { text: 'unshare --user --map-root-user true && echo ESCAPED' },
    'the namespaces of another': { text: `nsenter --target ${victim.pid} --mount --net true && echo ESCAPED`, control: { skip: rootOnly } },
  })

  test('a process that hides from its family outlives nothing', async () => {
    // a number of seconds that nobody else sleeps
    const nap = `4242.${process.pid}`
    after(() => processesWith(nap).forEach((pid) => process.kill(pid, 'SIGKILL')))
    const hide = `perl -e 'use POSIX; exit if fork; setsid(); exit if fork; close STDIN; close STDOUT; close STDERR; exec "/usr/bin/sleep", "${nap}"'; sleep 0.3`
    await field.inside(hide)
    assert.deepEqual(processesWith(nap), [])
    await field.outside(hide)
    // those that made it end in their own time
    while (processesWith(nap).length > 1) await delay(10)
    assert.equal(processesWith(nap).length, 1)
  })
})

describe('over the network', { skip }, async () => {
  const servers: Server[] = []
  const listen = async (server: Server, host: string) => {
    server.listen(0, host)
    await once(server, 'listening')
    servers.push(server)
    after(() => server.close())
    return (server.address() as AddressInfo).port
  }
  const greeting = () => createServer((socket) => socket.end(secret))
  const hasSixes = await listen(greeting(), '::1').then((port) => port, () => undefined)
  const any = await listen(greeting(), '0.0.0.0')
  const own = Object.values(networkInterfaces()).flat().find((one) => one?.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1'
  const leading = await listen(createHttpServer((_request, response) => void response.writeHead(302, { location: `http://127.0.0.1:${any}/`, connection: 'close' }).end()), '127.0.0.1')
  const unix = join(base, 'gate.sock')
  const hidden = `\0castellan-escape-${process.pid}`
  for (const path of [unix, hidden]) {
    const server = greeting().listen(path)
    await once(server, 'listening')
    after(() => server.close())
  }
  chmodSync(unix, 0o777)
  const { host, port } = database.connection('castellan_owner') as { host: string; port: number }
  const names = createSocket('udp4', (query, from) => names.send(Buffer.concat([query, Buffer.from(secret)]), from.port, from.address))
  names.bind(0, '127.0.0.1')
  await once(names, 'listening')
  after(() => names.close())

  const tcp = (at: string, to: number) => `perl -MIO::Socket::IP -e 'my $s = IO::Socket::IP->new(PeerHost => "${at}", PeerPort => ${to}, Timeout => 3) or exit; print <$s>'`
  const socket = (path: string) => `perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0); connect($s, sockaddr_un("${path.replace('\0', '\\0')}")) or exit; print "ESCAPED\\n"; print <$s>'`
  attacks({
    'a literal address': { text: tcp('127.0.0.1', any), evidence: tells },
    'an address written otherwise': { text: tcp('2130706433', any), evidence: tells },
    'the address of this machine': { text: tcp(own, any), evidence: tells },
    IPv6: { text: tcp('::1', hasSixes ?? 0), evidence: tells, control: { skip: hasSixes === undefined && 'this machine has no IPv6' } },
    'a redirect': {
      text: `perl -MIO::Socket::IP -e 'my $s = IO::Socket::IP->new(PeerHost => "127.0.0.1", PeerPort => ${leading}, Timeout => 3) or exit; print $s "GET / HTTP/1.0\\r\\n\\r\\n"; my ($at) = join("", <$s>) =~ m{location: http://127.0.0.1:(\\d+)}i; $s = IO::Socket::IP->new(PeerHost => "127.0.0.1", PeerPort => $at) or exit; print <$s>'`,
      evidence: tells,
    },
    'a question for a name': {
      text: `perl -MIO::Socket::IP -e 'my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => "127.0.0.1", PeerPort => ${names.address().port}) or exit; send($s, pack("nnnnnn", 7, 256, 1, 0, 0, 0) . "\\6secret\\7example\\3org\\0" . pack("nn", 1, 1), 0) or exit; local $SIG{ALRM} = sub { exit }; alarm 3; recv($s, my $answer, 512, 0); print $answer'`,
      evidence: tells,
    },
    'the socket of a gate': { text: socket(unix), evidence: tells },
    'a socket without a file': { text: socket(hidden), evidence: tells },
    'the socket of the database': { text: socket(join(host, `.s.PGSQL.${port}`)).replace('; print <$s>', '') },
  })
})

describe('by using up what there is', { skip }, () => {
  const limit = 128

  test('a fork bomb is held to its number of processes, and ends with its time', async () => {
    let most = 0
    const counting = setInterval(() => {
      most = Math.max(most, processesWith(`${base}/house/attack-`).length)
    }, 50)
    const started = performance.now()
    const { ended } = await field.inside('bomb() { bomb | bomb & }\nbomb\nsleep 60', { timeoutMs: 3_000 })
    clearInterval(counting)
    assert.equal(ended, 'shell.timeout')
    assert.ok(performance.now() - started < 15_000)
    assert.ok(most > 5 && most <= limit + 10, `there were ${most} at once`)
    assert.deepEqual(processesWith(`${base}/house/attack-`), [])
  })

  for (const to of ['', ' >&2']) {
    test(`ten gigabytes${to === '' ? '' : ' of complaints'} end with the first of them`, async () => {
      const before = process.memoryUsage().rss
      const { ended } = await field.inside(`head -c 10G /dev/zero${to}`)
      assert.equal(ended, 'shell.output')
      assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024)
      assert.equal((await field.inside(`head -c 1000 /dev/zero${to} | wc -c`)).ended, undefined)
    })
  }
})

describe('between the look at a file and its use by a signed command', { skip }, () => {
  const wait = 'touch ready; i=0; while [ ! -e go ] && [ $i -lt 20 ]; do i=$((i+1)); sleep 0.05; done; cat sub/note.md >seen'
  const swaps: Readonly<Record<string, [swap: string, bound: boolean]>> = {
    // what is bound over a file moves away with it, and what is bound over one that was removed is gone
    'another file is moved over it': ['mv evil sub/note.md', true],
    'it is moved away, and another put there': ['mv sub/note.md sub/old; mv evil sub/note.md', true],
    'it is removed, and another put there': ['rm sub/note.md; mv evil sub/note.md', true],
    'the folder that it is in is another': ['mv sub was; mkdir sub; mv evil sub/note.md', true],
    'the folder that it is in becomes a symbolic link': ['mkdir other; mv evil other/note.md; mv sub was; ln -s other sub', true],
    'it is written through another name of it': ['cat evil >hard', false],
    'it becomes a symbolic link': ['ln -sf ../evil sub/note.md', true],
  }
  for (const [name, [swap, bound]] of Object.entries(swaps)) {
    test(`${name}: works where the file is ${bound ? 'bound over its place in the folder' : 'read in its folder'}, and not with a signed command`, async (t) => {
      const opened = (at: string) => {
        const root = join(base, `swapped-${at}`)
        rmSync(root, { recursive: true, force: true })
        for (const folder of [root, join(root, 'sub')]) {
          mkdirSync(folder)
          chmodSync(folder, 0o777)
        }
        for (const [file, text] of [['sub/note.md', 'signed'], ['evil', 'evil']] as const) writeFileSync(join(root, file), text, { mode: 0o666 })
        linkSync(join(root, 'sub/note.md'), join(root, 'hard'))
        t.after(() => rmSync(root, { recursive: true, force: true }))
        return root
      }
      const script = join(base, 'house', 'reads.sh')
      writeFileSync(script, `#!/bin/sh\n${wait}\n`)
      chmodSync(script, 0o755)

      const open = opened('open')
      const copy = join(base, 'checked')
      writeFileSync(copy, 'signed')
      const attacker = spawn('/bin/sh', ['-c', `while [ ! -e ready ]; do sleep 0.05; done; ${swap}; touch go`], { cwd: open, stdio: 'ignore' })
      t.after(() => attacker.kill('SIGKILL'))
      await field.sandbox.run({ argv: [script], cwd: open, folders: [{ path: open, access: 'write' }, ...(bound ? [{ path: join(open, 'sub/note.md'), from: copy, access: 'read' } as const] : []), { path: script, access: 'read' }] })
      assert.equal(readFileSync(join(open, 'seen'), 'utf8'), 'evil', 'the attack itself does not work')

      for (const [argv, out] of [[[script, 'sub/note.md'], 'seen'], [['/usr/bin/cat', 'sub/note.md'], undefined]] as const) {
        const root = opened('signed')
        let runs = 0
        const attacked: Sandbox = { ...field.sandbox, run: async (command) => {
          // the last time: what was checked is checked. A trial stands before the signature, a look behind it
          if (command.argv[0] === argv[0] && (runs += 1) === (out === undefined ? 1 : 2)) execFileSync('/bin/sh', ['-c', swap], { cwd: root })
          return await field.sandbox.run(command)
        } }
        const connector = createShellConnector({
          name: 'chores', folders: [{ name: 'site', path: root, label: { level: 1, integrity: 'trusted', lanes: [] } }], timeoutMs: 20_000, rules: [], allow: [script, '/usr/bin/cat'],
          folder: join(base, 'releaser'), sandbox: async () => attacked,
        })
        const wire = await composedBy(connector, 'shell.act', { folder: 'site', argv: [...argv] })
        const receipt = await connector.deliver(wire, documentFor(wire), AbortSignal.timeout(60_000), async () => {})
        assert.ok(runs > 0 && readFileSync(join(root, 'sub/note.md'), 'utf8') === 'evil', 'it was attacked')
        if (out !== undefined) assert.equal(readFileSync(join(root, out), 'utf8'), 'signed')
        else assert.equal(receipt['stdout_sha256'], sha256(Buffer.from('signed')))
      }
    })
  }
})

test('without bubblewrap nothing is run', { skip: process.platform === 'linux' ? false : 'bubblewrap is for Linux' }, async () => {
  const sandbox = await createSandbox({ bwrapPath: '/nowhere/bwrap' })
  assert.deepEqual(await field.inside('echo ESCAPED', { sandbox }), { output: '', ended: 'sandbox.unsafe' })
  if (skip === false) assert.match((await field.inside('echo ESCAPED')).output, /ESCAPED/)
})
