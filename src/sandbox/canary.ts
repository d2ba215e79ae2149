import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer, type ListenOptions, type NetConnectOpts, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { SandboxFolder, SandboxResult } from './sandbox.ts'

/** Runs a command with these folders open, the way every later command will run. */
export type Confine = (argv: readonly string[], folders: readonly SandboxFolder[]) => Promise<SandboxResult>

/** Was the canary held? Else why nothing is run. */
export type Held = { readonly ok: true } | { readonly ok: false; readonly reason: string }

const probe = fileURLToPath(new URL('canary-probe.ts', import.meta.url))
const namespaces = ['ipc', 'mnt', 'net', 'pid', 'user', 'uts']
const findings = z.object({ nonce: z.string(), works: z.boolean(), escapes: z.array(z.string()) })

/** Sends a canary in: it tries to write, read, connect, signal and remount its way out. Whatever succeeds, or cannot be told, is not ok. */
export async function sendCanary(confine: Confine, scratch: string): Promise<Held> {
  const folder = await realpath(await mkdtemp(join(scratch, 'canary-')))
  const listeners: Server[] = []
  let signalled = false
  let reached = 0
  const onSignal = () => {
    signalled = true
  }
  process.on('SIGWINCH', onSignal)
  try {
    const nonce = randomBytes(16).toString('hex')
    const secret = randomBytes(16).toString('hex')
    const at = (name: string) => join(folder, name)
    await mkdir(at('control'))
    await Promise.all([writeFile(at('input'), nonce), writeFile(at('secret'), secret), writeFile(at('outside'), '')])
    // open to every user: what keeps the canary away from them must be the sandbox
    await Promise.all([folder, at('control'), at('outside')].map((path) => chmod(path, 0o777)))
    const sockets: NetConnectOpts[] = []
    const listen = async (options: ListenOptions, reach: (server: Server) => NetConnectOpts) => {
      const server = createServer((socket) => {
        reached += 1
        socket.destroy()
      })
      if (await listening(server, options)) {
        listeners.push(server)
        sockets.push(reach(server))
      }
    }
    // a worker without a network cannot listen here itself: then there is nothing to reach, and the sockets below remain
    for (const host of ['127.0.0.1', '::1']) await listen({ host, port: 0 }, (server) => ({ host, port: (server.address() as { port: number }).port }))
    await listen({ path: at('socket') }, () => ({ path: at('socket') }))
    await listen({ path: `\0castellan-${nonce}` }, () => ({ path: `\0castellan-${nonce}` }))
    if (sockets.length === 0) return { ok: false, reason: 'the canary could not open a socket of its own to try the network with' }

    const plan = {
      nonce, sockets, hostPid: process.pid,
      namespaces: Object.fromEntries(await Promise.all(namespaces.map(async (kind) => [kind, await readlink(`/proc/self/ns/${kind}`)]))),
      controlFile: at('input'), controlFolder: at('control'), hostFile: at('outside'), secretFile: at('secret'),
    }
    const result = await confine([process.execPath, probe, JSON.stringify(plan)], [
      { path: process.execPath, access: 'read' }, { path: probe, access: 'read' },
      { path: plan.controlFile, access: 'read' }, { path: plan.controlFolder, access: 'write' },
    ])
    await new Promise((resolve) => setImmediate(resolve))
    const seen = await readFile(join(plan.controlFolder, 'control'), 'utf8').catch(() => '')
    const outside = await readFile(plan.hostFile, 'utf8')
    return judge(result, { nonce, seen, escaped: [
      ...(outside === '' ? [] : ['wrote a file of the host']),
      ...(signalled ? ['signalled its parent'] : []),
      ...(reached === 0 ? [] : ['connected to a socket of the host']),
      ...(result.stdout.includes(secret) ? ['read a planted secret'] : []),
    ] })
  } finally {
    process.off('SIGWINCH', onSignal)
    for (const server of listeners) server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function judge(result: SandboxResult, host: { nonce: string; seen: string; escaped: readonly string[] }): Held {
  const found = readFindings(result.stdout)
  const escapes = [...new Set([...host.escaped, ...(found?.escapes ?? [])])]
  if (escapes.length > 0) return { ok: false, reason: `a command in the sandbox ${escapes.join(', ')}` }
  if (!found || found.nonce !== host.nonce || !found.works || host.seen !== host.nonce) {
    const said = result.stderr.toString('utf8').trim().split('\n')[0]?.slice(0, 300)
    return { ok: false, reason: `the canary could not do its work in the sandbox (exit ${result.exitCode}${said ? `: ${said}` : ''})` }
  }
  return { ok: true }
}

function readFindings(stdout: Buffer): z.infer<typeof findings> | undefined {
  try {
    return findings.parse(JSON.parse(stdout.toString('utf8')))
  } catch {
    return undefined
  }
}

function listening(server: Server, options: ListenOptions): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(options, () => resolve(true))
  })
}
