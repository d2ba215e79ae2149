/**
 * Runs inside the sandbox and tries to get out. Its plan is the first argument, its findings are one line of JSON on stdout:
 * a list of the attempts that succeeded, and proof that it could work at all. Imports nothing of Castellan: only this file is bound.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, readlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { connect, type NetConnectOpts } from 'node:net'

interface Plan {
  readonly nonce: string
  readonly controlFile: string
  readonly controlFolder: string
  readonly hostFile: string
  readonly secretFile: string
  readonly hostPid: number
  readonly sockets: readonly NetConnectOpts[]
  /** The namespaces of the host's process, by kind. */
  readonly namespaces: Readonly<Record<string, string>>
}

const plan = JSON.parse(process.argv[2]!) as Plan
const escapes: string[] = []

function attempt(name: string, work: () => boolean): void {
  try {
    if (work()) escapes.push(name)
  } catch {
    // held
  }
}

function canWrite(path: string): boolean {
  writeFileSync(path, 'canary')
  unlinkSync(path)
  return true
}

function canOpenForWriting(path: string): boolean {
  closeSync(openSync(path, 'r+'))
  return true
}

function succeeds(program: string, ...args: string[]): boolean {
  return existsSync(program) && spawnSync(program, args, { stdio: 'ignore', timeout: 2_000 }).status === 0
}

function canConnect(target: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target)
    const answer = (reached: boolean) => {
      socket.destroy()
      resolve(reached)
    }
    socket.setTimeout(1_000, () => answer(false))
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}

for (const [kind, id] of Object.entries(plan.namespaces)) attempt(`shares the ${kind} namespace of the host`, () => readlinkSync(`/proc/self/ns/${kind}`) === id)
attempt('has capabilities', () => !/^CapEff:\s*0+$/m.test(readFileSync('/proc/self/status', 'utf8')))
attempt('can gain privileges', () => !/^NoNewPrivs:\s*1$/m.test(readFileSync('/proc/self/status', 'utf8')))
for (const target of ['/', '/usr', '/tmp']) {
  attempt(`remounted ${target}`, () => succeeds('/usr/bin/mount', '-o', 'remount,bind,rw', target))
}
attempt('mounted a file system', () => succeeds('/usr/bin/mount', '-t', 'tmpfs', 'none', plan.controlFolder))
attempt('made a user namespace', () => succeeds('/usr/bin/unshare', '--user', '--map-root-user', '/usr/bin/true'))
for (const folder of ['/', '/usr', '/usr/bin', '/etc', '/dev', '/proc/sys/kernel']) {
  attempt(`wrote in ${folder}`, () => canWrite(`${folder}/castellan-canary`))
}
attempt('opened a kernel setting for writing', () => canOpenForWriting('/proc/sys/kernel/core_pattern'))
attempt('wrote a file of the host', () => {
  // whether it is the host's is for the host to say: the sandbox has a /tmp of its own
  appendFileSync(plan.hostFile, 'canary')
  return false
})
for (const path of [plan.secretFile, `/proc/${plan.hostPid}/root${plan.secretFile}`, `/proc/1/root${plan.secretFile}`]) {
  attempt('read a planted secret', () => readFileSync(path).length > 0)
}
for (const path of ['/etc/shadow', '/proc/kcore', '/dev/mem']) attempt(`read ${path}`, () => readFileSync(path).length > 0)
attempt('signalled its parent', () => {
  // whether it arrived is for the host to say: this number may be a process of the sandbox
  process.kill(plan.hostPid, 'SIGWINCH')
  return false
})
for (const target of plan.sockets) if (await canConnect(target)) escapes.push(`connected to ${'path' in target ? 'a Unix socket' : 'the loopback address'}`)

let works = false
try {
  writeFileSync(`${plan.controlFolder}/control`, readFileSync(plan.controlFile))
  works = true
} catch {
  // the host reports it
}
process.stdout.write(`${JSON.stringify({ nonce: plan.nonce, works, escapes: [...new Set(escapes)] })}\n`)
