import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { middle, type Figure } from './figure.ts'
import { usageOf } from './process-tree.ts'

const castellan = join(import.meta.dirname, '..', 'bin', 'castellan.js')
const idleSeconds = 20

/** How long a start takes, and what the house uses while nothing is due. In a home of its own, with the starter house. */
export async function measureHouse(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const first: number[] = []
  const second: number[] = []
  const memory: number[] = []
  const processor: number[] = []
  for (let round = 1; round <= Math.min(rounds, 3); round += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'castellan-bench-'))
    chmodSync(folder, 0o711)
    const environment = { ...process.env, CASTELLAN_HOME: join(folder, 'home'), CI: undefined, ...(await freePorts()) }
    try {
      const fresh = await start(environment)
      first.push(fresh.seconds)
      await stop(fresh.child)
      const again = await start(environment)
      second.push(again.seconds)
      await delay(15_000) // until what a start leaves to do is done
      const before = usageOf(again.child.pid!)
      await delay(idleSeconds * 1_000)
      const after = usageOf(again.child.pid!)
      memory.push(after.pss / 2 ** 20)
      processor.push(((after.cpu - before.cpu) / idleSeconds) * 100)
      await stop(again.child)
      onProgress(`round ${round}: ${after.processes} processes, first ${fresh.seconds.toFixed(2)} s, second ${again.seconds.toFixed(2)} s`)
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
  return [
    { name: 'first start to ready', unit: 's', ...middle(first), target: { atMost: 6 } },
    { name: 'second start to ready', unit: 's', ...middle(second), target: { atMost: 3 } },
    { name: 'idle: memory of all processes (PSS)', unit: 'MiB', ...middle(memory), target: { atMost: 500 } },
    { name: `idle: processor over ${idleSeconds} s`, unit: '%', ...middle(processor), target: { atMost: 2 } },
  ]
}

/** Starts the house as `npm start` does, and waits until it says that it is ready. */
async function start(environment: NodeJS.ProcessEnv & { CASTELLAN_PORT_SERVER?: string }): Promise<{ child: ChildProcess; seconds: number }> {
  const started = performance.now()
  const child = spawn(process.execPath, [castellan, 'up'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (text) => (said += text))
  child.stderr.on('data', (text) => (said += text))
  const url = `http://127.0.0.1:${environment.CASTELLAN_PORT_SERVER}/readyz`
  for (const deadline = started + 60_000; ; await delay(20)) {
    if (child.exitCode !== null) throw new Error(`the house did not start:\n${said}`)
    if (performance.now() > deadline) throw new Error(`the house was not ready after a minute:\n${said}`)
    const ready = await fetch(url).then((response) => response.ok, () => false)
    if (ready) return { child, seconds: (performance.now() - started) / 1_000 }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

async function freePorts(): Promise<Record<string, string>> {
  const names = ['SERVER', 'RELEASER', 'GATE_LOCAL', 'GATE_CLOUD'].map((name) => `CASTELLAN_PORT_${name}`)
  const servers = names.map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => String((server.address() as { port: number }).port))
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return Object.fromEntries(names.map((name, index) => [name, ports[index]!]))
}
