import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Agent, request } from 'undici'
import type { SupervisionLimits } from '../../src/processes/supervise.ts'
import { readUpState } from '../../src/processes/up-state.ts'
import { up, type Up } from '../../src/processes/up.ts'

export interface RunningHouse {
  readonly home: string
  readonly folder: string
  readonly up: Up
  /** One call of the server's or the releaser's socket; the envelope is checked and taken off. */
  call<T>(to: 'server' | 'releaser', method: string, path: string, body?: unknown): Promise<T>
}

export interface HouseOptions {
  /** Job files, `name.yaml` → text; the starter jobs go. */
  readonly jobs?: Readonly<Record<string, string>>
  readonly edit?: (yaml: string) => string
  /** Where others have to find a page; free ports unless said. */
  readonly ports?: { readonly SERVER: number; readonly RELEASER: number }
  /** Called before the start, with the home. */
  readonly prepare?: (home: string) => void
  readonly faultPoints?: () => string | undefined
  readonly limits?: SupervisionLimits
  /** Called when the doors are open: starts the processes, as units would. */
  readonly startUnits?: (home: string) => void
}

const starter = join(import.meta.dirname, '..', '..', 'house')

/** A whole Castellan in a folder of its own: real PostgreSQL, real processes, free ports. Stopped and removed after the test. */
export async function runningHouse(t: Pick<TestContext, 'after'>, options: HouseOptions = {}): Promise<RunningHouse> {
  for (const port of ['SERVER', 'RELEASER', 'GATE_LOCAL', 'GATE_CLOUD']) process.env[`CASTELLAN_PORT_${port}`] = String(options.ports?.[port as 'SERVER'] ?? 0)
  const home = mkdtempSync(join(tmpdir(), 'castellan-home-'))
  chmodSync(home, 0o711)
  const folder = join(home, 'house')
  cpSync(starter, folder, { recursive: true })
  if (options.jobs) {
    rmSync(join(folder, 'jobs'), { recursive: true })
    mkdirSync(join(folder, 'jobs'))
    for (const [file, text] of Object.entries(options.jobs)) writeFileSync(join(folder, 'jobs', file), text)
  }
  const settings = join(folder, 'castellan.yaml')
  if (options.edit) writeFileSync(settings, options.edit(readFileSync(settings, 'utf8')))
  options.prepare?.(home)
  const starting = up({
    home,
    ...(options.faultPoints && { faultPoints: options.faultPoints }),
    ...(options.limits && { limits: options.limits }),
    units: options.startUnits !== undefined,
  })
  // also when it does not start, or the test is over before it has
  t.after(async () => {
    await starting.then((started) => started.stop(), () => {})
    rmSync(home, { recursive: true, force: true })
  })
  const running = await starting
  options.startUnits?.(home)
  await running.settled
  const state = readUpState(home)!
  return { home, folder, up: running, call: (to, method, path, body) => call(state.sockets[to], method, path, body) }
}

async function call<T>(socketPath: string, method: string, path: string, body: unknown): Promise<T> {
  const dispatcher = new Agent({ connect: { socketPath } })
  try {
    const response = await request(`http://castellan${path}`, {
      dispatcher,
      method: method as 'GET',
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const envelope = (await response.body.json()) as { ok: true; data: T } | { ok: false; error: { code: string; message: string } }
    if (!envelope.ok) throw Object.assign(new Error(envelope.error.message), { code: envelope.error.code, status: response.statusCode })
    return envelope.data
  } finally {
    await dispatcher.close()
  }
}
