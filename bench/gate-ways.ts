import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { declareLanes, gateBoot, openRun } from '../test/support/gate.ts'
import type { TestDatabase } from '../test/support/database.ts'
import { nodeFlags } from '../src/processes/process-specs.ts'
import { castellanDatabase } from './castellan-database.ts'
import { benchDatabase } from './database.ts'
import type { Way } from './gate-load.ts'

export interface Ways {
  readonly direct: Way
  readonly bare: Way
  readonly portkey: Way
  readonly gate: Way
  /** The gate's process. */
  readonly gatePid: number
  /** Lets the streams of the model `held` end. */
  release(): Promise<void>
  stop(): Promise<void>
}

/** The model server and the three gateways to it, each in a process of its own. */
export async function openWays(): Promise<Ways> {
  const ends: (() => unknown)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const url = await forked('gate-upstream.ts', [], ends)
    const { address, key, pid } = await startGate(url, ends)
    return {
      direct: { name: 'direct', url, model: 'bench', headers: {} },
      bare: { name: 'bare proxy', url: await forked('bare-proxy.ts', [url], ends), model: 'bench', headers: {} },
      portkey: {
        name: 'Portkey', url: await startPortkey(ends), model: 'bench',
        headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${url}/v1`, authorization: 'Bearer none' },
      },
      gate: { name: 'Castellan', url: address, model: 'it/bench', headers: { authorization: `Bearer ${key}` } },
      gatePid: pid,
      release: async () => void (await fetch(`${url}/release`, { method: 'POST' })),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function forked(module: string, argv: readonly string[], ends: (() => unknown)[]): Promise<string> {
  const child = fork(join(import.meta.dirname, module), argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  ends.push(() => ended(child))
  const [{ port }] = (await Promise.race([once(child, 'message'), died(child, module)])) as [{ port: number }]
  return `http://127.0.0.1:${port}`
}

/** Gate cloud as `up` starts it, on PostgreSQL with the settings of production, with prices and a budget, and the key of a run. */
async function startGate(url: string, ends: (() => unknown)[]): Promise<{ address: string; key: string; pid: number }> {
  const server = await benchDatabase()
  ends.push(server.stop)
  const { owner, as, connectionOf } = await castellanDatabase(await server.empty('gate'))
  ends.push(owner.close)
  const pools = new Map<string, ReturnType<typeof as>>()
  const database = {
    owner,
    connection: connectionOf,
    as: (role: Parameters<typeof as>[0]) => {
      if (!pools.has(role)) pools.set(role, as(role, 2))
      return pools.get(role)!
    },
  } as unknown as TestDatabase
  ends.push(() => Promise.all([...pools.values()].map((pool) => pool.close())))
  await declareLanes(owner, ['it'])
  const { key } = await openRun(database, 'open')
  const { boot, remove } = await gateBoot(database, 'gate-cloud', {
    upstreams: [{ name: 'it', kind: 'openai', url: `${url}/v1`, zone: 'cloud' }],
    spending: { budgets: [{ per: 'day', eur: 1_000_000 }], prices: { 'it/*': { input: 1, output: 5 } }, allowUnknownPrice: false },
  })
  ends.push(remove)
  const child = spawn(process.execPath, [...nodeFlags('gate-cloud'), join(import.meta.dirname, '../src/processes/main.ts'), 'gate-cloud'], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  ends.push(() => ended(child))
  ;(child.stdio[3] as NodeJS.WritableStream).end(JSON.stringify(boot))
  for await (const line of createInterface({ input: child.stdout! })) {
    const { address } = JSON.parse(line) as { address?: string }
    if (address === undefined) continue
    child.stdout!.resume()
    return { address, key, pid: child.pid! }
  }
  throw new Error('the gate ended before it listened')
}

async function startPortkey(ends: (() => unknown)[]): Promise<string> {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  await once(free.close(), 'close')
  const program = join(import.meta.dirname, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  const child = spawn(process.execPath, [program, `--port=${port}`, '--headless'], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } })
  ends.push(() => ended(child))
  const url = `http://127.0.0.1:${port}`
  const isUp = () => fetch(url).then(() => true, () => false)
  for (const deadline = performance.now() + 20_000; !(await Promise.race([isUp(), died(child, 'Portkey')])); await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (performance.now() > deadline) throw new Error('Portkey did not start')
  }
  return url
}

async function died(child: ChildProcess, name: string): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`${name} ended with code ${code}`)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}
