import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { Database } from '../src/kernel/database/connect.ts'
import { roles } from '../src/kernel/database/roles.ts'
import { createFileConnector } from '../src/outbox/connectors/file.ts'
import { challengeOf, readDocument } from '../src/outbox/document.ts'
import { createIdentity } from '../src/outbox/operator-identity.ts'
import type { Boot, Host } from '../src/processes/boot.ts'
import { start } from '../src/processes/releaser.ts'
import { declareJobs, jobDefinition } from '../test/support/jobs.ts'
import { castellanDatabase } from './castellan-database.ts'
import { benchDatabase } from './database.ts'
import { middle, type Figure } from './figure.ts'

const waiting = 1_000
const decisions = 20

/** The releaser as it runs, over its own socket: how long a long list takes, and how soon a signed draft has left. */
export async function measureOutbox(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const server = await benchDatabase()
  const home = mkdtempSync(join(tmpdir(), 'castellan-bench-'))
  try {
    const connection = await server.empty('outbox')
    const { owner, as } = await castellanDatabase(connection)
    const figures = await measure({ owner, as }, home, rounds, onProgress)
    await owner.close()
    return figures
  } finally {
    await server.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

async function measure({ owner, as }: Awaited<ReturnType<typeof castellanDatabase>>, home: string, rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const releaserPool = as(roles.find((role) => role === 'castellan_releaser')!, 1)
  const { options } = releaserPool.pool as unknown as { options: { host: string; port: number; database: string; user: string; password: string } }
  const [folder, doors, outgoing] = ['releaser', 'doors', 'outgoing'].map((name) => join(home, name)) as [string, string, string]
  for (const path of [folder, doors]) mkdirSync(path, { mode: 0o700 })
  const socket = join(doors, 'socket')
  const wakes = new Set<() => void>()
  const boot = {
    process: 'releaser', instance: 'bench', home, folder, secrets: {}, isolation: { mode: 'demonstration', detail: '' },
    database: { host: options.host, port: options.port, database: options.database, user: options.user, password: options.password },
    sockets: { server: '', releaser: socket, gateLocal: '', gateCloud: '' },
    house: { folder: home, settings: {
      name: 'Bench', ports: { releaser: 0 }, signing: { origin: null, rpId: null },
      isolation: { acceptDemonstration: false }, mail: { accounts: [] },
      outbox: { holdMs: 0, expiryMs: { mail: 3_600_000, highRisk: 1_800_000, default: 3_600_000 }, risk: [], connectors: [{ name: 'file', kind: 'file', path: outgoing, from: 'haus@example.org' }] },
    } },
  } as unknown as Boot
  const host: Host = { ready: () => {}, wake: () => {}, onWake: (listener) => void wakes.add(listener), onHouse: () => {}, request: async () => ({}) }
  const dispatcher = new Agent({ connect: { socketPath: socket } })
  const call = async <T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> => {
    const answer = await request(`http://releaser${path}`, { dispatcher, method, ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) })
    const { ok, data, error } = (await answer.body.json()) as { ok: boolean; data: T; error?: { message: string } }
    if (!ok) throw new Error(error!.message)
    return data
  }
  const releaser = await start(boot, host)
  try {
    const identity = await createIdentity(join(home, 'operator'), { name: 'bench', scope: 'demonstration' })
    await call('POST', '/keys/enroll', identity.enrolment())
    await declareJobs(owner, [jobDefinition({ name: 'bench' })])
    await propose(owner, waiting)
    for (const wake of wakes) wake()
    const listed = () => call<{ id: string }[]>('GET', `/drafts?state=waiting&limit=${waiting}`)
    while ((await listed()).length < waiting) await turn()
    onProgress(`${waiting} drafts wait`)

    const list: number[] = []
    const released: number[] = []
    const alone: number[] = []
    const connector = createFileConnector({ name: 'file', path: join(home, 'alone'), from: 'haus@example.org' })
    for (let round = 0; round < rounds; round += 1) {
      const begun = performance.now()
      const drafts = await listed()
      list.push(performance.now() - begun)
      const times: number[] = []
      for (const { id } of drafts.slice(0, decisions)) {
        const shown = await call<{ document: string; wire: string }>('GET', `/drafts/${id}`)
        const body = { verdict: 'approve', keyId: identity.id, signature: identity.sign(challengeOf(shown.document)) }
        const decided = performance.now()
        await call('POST', `/drafts/${id}/decide`, body)
        while ((await owner.pool.query('select 1 from draft where id = $1 and closed_at is not null', [id])).rowCount === 0) await turn()
        times.push(performance.now() - decided)
        const delivered = performance.now()
        await connector.deliver(Buffer.from(shown.wire, 'base64'), readDocument(shown.document), AbortSignal.timeout(10_000))
        alone.push(performance.now() - delivered)
      }
      released.push(...times)
      await propose(owner, decisions)
      for (const wake of wakes) wake()
      while ((await listed()).length < waiting) await turn()
      onProgress(`round ${round + 1}: list ${list.at(-1)!.toFixed(0)} ms, decision to released ${middle(times).value.toFixed(1)} ms`)
    }
    const connectorMs = middle(alone).value
    return [
      { name: `${waiting} waiting drafts listed`, unit: 'ms', ...middle(list), target: { atMost: 100 } },
      { name: 'decision to released, hold aside, without the connector', unit: 'ms', ...middle(released.map((time) => time - connectorMs)), target: { atMost: 50 } },
      { name: 'the connector file alone', unit: 'ms', ...middle(alone), target: { atMost: 50 } },
    ]
  } finally {
    await releaser.stop(5_000)
    await dispatcher.close()
    await releaserPool.close()
  }
}

async function propose(owner: Database, count: number): Promise<void> {
  const run = randomUUID()
  const { rows } = await owner.pool.query<{ id: string }>(`insert into occurrence (id, job, slot, origin) values (gen_random_uuid(), 'bench', clock_timestamp(), 'manual') returning id`)
  await owner.pool.query(
    `insert into run (id, occurrence_id, job, digest, lane, state, label_level, label_lanes) select $1, $2, name, digest, lane, 'parked', 2, '{private}' from job where name = 'bench'`, [run, rows[0]!.id],
  )
  await owner.pool.query(
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload, label_level, label_lanes)
     select gen_random_uuid(), $1, 'only', n::text, 'mail', 'file',
       jsonb_build_object('to', 'P' || n || ' <p' || n || '@example.org>', 'subject', 'Termin ' || n, 'text', repeat('Guten Morgen, bis Montag. ', 80)), 2, '{private}'
     from generate_series(1, $2::int) as n`, [run, count],
  )
}
