import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { pino } from 'pino'
import type { OutboxSettings } from '../../src/house/index.ts'
import { createManualClock } from '../../src/kernel/clock.ts'
import type { Database } from '../../src/kernel/database/connect.ts'
import type { Label } from '../../src/labels/index.ts'
import type { OutboxDeps } from '../../src/outbox/change.ts'
import type { Connector } from '../../src/outbox/connectors/connector.ts'
import { createConnectors, type Connectors } from '../../src/outbox/connectors/connectors.ts'
import { createFileConnector } from '../../src/outbox/connectors/file.ts'
import { createClearanceConnector } from '../../src/outbox/clearances/clearance-connector.ts'
import { createOrderConnector } from '../../src/outbox/orders/order-connector.ts'
import { decideDraft, type DecisionOutcome } from '../../src/outbox/decide-draft.ts'
import { challengeOf } from '../../src/outbox/document.ts'
import type { Draft } from '../../src/outbox/draft.ts'
import { findDraft } from '../../src/outbox/draft-queries.ts'
import { createOutboxConnector } from '../../src/outbox/fence/resume.ts'
import { freezeProposals } from '../../src/outbox/freeze-proposal.ts'
import type { Site } from '../../src/outbox/keys/assertion.ts'
import { openOperatorKeys } from '../../src/outbox/operator-keys.ts'
import { enrolmentChallenge, keyIdOf, signChallenge, type KeyScope } from '../../src/outbox/signature.ts'
import { openSpentNonces, type SpentNoncesOptions } from '../../src/outbox/spent-nonces.ts'
import { testDatabase, type TestDatabase } from './database.ts'
import { declareJobs, jobDefinition } from './jobs.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const untrustedInternal: Label = { level: 2, integrity: 'untrusted', lanes: ['private'] }

export const testSite: Site = { origin: 'http://localhost:7401', rpId: 'localhost' }

export const aMail = { to: ['Eva <eva@example.org>'], subject: 'Termin', text: 'Liebe Eva,\n\nbis Montag.\n' }

export interface TestOutbox {
  readonly database: TestDatabase
  readonly deps: OutboxDeps
  readonly clock: ReturnType<typeof createManualClock>
  /** The releaser's folder, and the folder that the connector `file` writes into. */
  readonly folder: string
  readonly outgoing: string
  readonly settings: OutboxSettings
  readonly woken: { queue: string; run: string }[]
  /** A proposal of a parked run, as a worker leaves it. */
  propose(payload?: unknown, options?: ProposeOptions): Promise<{ proposal: string; run: string }>
  /** Proposes and freezes; the id of the draft. */
  freeze(payload?: unknown, options?: ProposeOptions): Promise<Draft>
  draft(id: string): Promise<Draft>
  /** Signs what is stored and decides. */
  approve(id: string): Promise<DecisionOutcome>
  /** Freezes, signs, and lets the hold pass. */
  readyToRelease(payload?: unknown, options?: ProposeOptions): Promise<Draft>
  audited(subject: string): Promise<string[]>
  reopenSpent(options?: SpentNoncesOptions): Promise<OutboxDeps>
  key: TestKey
}

export interface ProposeOptions {
  readonly label?: Label
  readonly kind?: string
  readonly connector?: string
  readonly item?: string
  readonly run?: string
}

export interface TestKey {
  readonly id: string
  readonly privateKey: KeyObject
  sign(document: string): string
}

export interface TestOutboxOptions {
  readonly connectors?: (outgoing: string) => Connector[]
  readonly settings?: Partial<OutboxSettings>
  readonly isolation?: { demonstration: boolean; accepted: boolean }
  readonly scope?: KeyScope
}

/** The releaser's parts on a database of their own, with an enrolled key and a clock that stands still. */
export async function testOutbox(t?: Pick<TestContext, 'after'>, options: TestOutboxOptions = {}): Promise<TestOutbox> {
  const database = await testDatabase(t)
  const folder = temporaryFolder(t)
  const outgoing = join(folder, 'outgoing')
  const clock = createManualClock(new Date('2026-03-02T09:00:00.000Z'))
  const settings: OutboxSettings = {
    holdMs: 10_000, expiryMs: { mail: 72 * 3_600_000, highRisk: 30 * 60_000, default: 24 * 3_600_000 }, connectors: [], risk: [], ...options.settings,
  }
  const keys = openOperatorKeys(folder)
  const woken: TestOutbox['woken'] = []
  const connectors: Connectors = createConnectors(
    options.connectors?.(outgoing) ?? [createFileConnector({ name: 'file', path: outgoing, from: 'Haus <haus@example.org>' })],
    options.isolation ?? { demonstration: false, accepted: false },
    [
      createClearanceConnector(database.as('castellan_releaser'), clock.now),
      createOutboxConnector(database.as('castellan_releaser'), clock.now),
      createOrderConnector(database.as('castellan_releaser'), clock.now, () => ({ findConnector: (name) => connectors.find(name), declared: settings.connectors, timezone: 'Europe/Berlin' })),
    ],
  )
  const spent = await openSpentNonces(folder)
  const base = {
    database: database.as('castellan_releaser'), site: () => testSite, clock, log: pino({ level: 'silent' }), keys, settings: () => settings, connectors: () => connectors,
    onEnqueued: (queue: string, run: string) => void woken.push({ queue, run }),
  }
  let deps: OutboxDeps = { ...base, spent }
  ;(t ? (release: () => Promise<void>) => t.after(release) : after)(() => deps.spent.close())
  const key = await enrolKey(deps, options.scope ?? 'operator')
  await declareJobs(database.owner, [jobDefinition({ name: 'mail-job' })])

  const outbox: TestOutbox = {
    database, clock, folder, outgoing, settings, woken, key,
    get deps() {
      return deps
    },
    propose: (payload = aMail, proposal) => propose(database.owner, payload, proposal),
    async freeze(payload, proposal) {
      const { proposal: id } = await outbox.propose(payload, proposal)
      await freezeProposals(deps)
      const { rows } = await database.owner.pool.query<{ id: string }>('select id from draft where proposal_id = $1', [id])
      if (!rows[0]) throw new Error(`not frozen: ${JSON.stringify((await database.owner.pool.query('select state, refusal from proposal where id = $1', [id])).rows)}`)
      return outbox.draft(rows[0].id)
    },
    async draft(id) {
      return (await findDraft(database.owner.pool, id))!
    },
    async approve(id) {
      return decideDraft(deps, id, { verdict: 'approve', keyId: key.id, signature: key.sign((await outbox.draft(id)).document) })
    },
    async readyToRelease(payload, proposal) {
      const { id } = await outbox.freeze(payload, proposal)
      await outbox.approve(id)
      clock.advance(settings.holdMs)
      return outbox.draft(id)
    },
    async audited(subject) {
      const { rows } = await database.owner.pool.query<{ kind: string }>('select kind from audit_event where subject = $1 order by id', [subject])
      return rows.map(({ kind }) => kind)
    },
    async reopenSpent(spentOptions) {
      await deps.spent.close()
      return (deps = { ...base, spent: await openSpentNonces(folder, spentOptions) })
    },
  }
  return outbox
}

/** Keeps the outbox's tables as they are now. @returns what does as a restore does: every row as it was */
export async function snapshot({ database: { owner } }: Pick<TestOutbox, 'database'>): Promise<() => Promise<void>> {
  const tables = ['proposal', 'draft', 'standing_order', 'order_use', 'decision', 'delivery', 'clearance', 'client_key', 'releaser_state']
  for (const table of tables) await owner.pool.query(`create table saved_${table} as table ${table}`)
  return () => owner.transaction(async (client) => {
    await client.query(`set local session_replication_role = replica`)
    for (const table of tables) {
      await client.query(`delete from ${table}`)
      await client.query(`insert into ${table} select * from saved_${table}`)
    }
  })
}

/** A fresh key in the releaser's file. */
export async function enrolKey({ keys, clock }: Pick<OutboxDeps, 'keys' | 'clock'>, scope: KeyScope, name = `key-${randomUUID().slice(0, 8)}`): Promise<TestKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const text = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  await keys.enrol({ publicKey: text, scope, name, signature: signChallenge(privateKey, enrolmentChallenge(text, scope, name)) }, clock.now())
  return { id: keyIdOf(text), privateKey, sign: (document) => signChallenge(privateKey, challengeOf(document)) }
}

/** A proposal of a parked run, as a worker leaves it. */
export async function propose(
  owner: Database, payload: unknown, { label = untrustedInternal, kind = 'mail', connector = 'file', item = randomUUID(), run }: ProposeOptions = {},
): Promise<{ proposal: string; run: string }> {
  const id = run ?? (await parkedRun(owner, label))
  const proposal = randomUUID()
  await owner.pool.query(
    `insert into proposal (id, run_id, step_id, item_key, kind, connector, payload, label_level, label_integrity, label_lanes)
     values ($1, $2, 'only', $3, $4, $5, $6, $7, $8, $9)`,
    [proposal, id, item, kind, connector, JSON.stringify(payload), label.level, label.integrity, label.lanes],
  )
  return { proposal, run: id }
}

async function parkedRun(owner: Database, label: Label): Promise<string> {
  const run = randomUUID()
  const { rows } = await owner.pool.query<{ id: string }>(
    `insert into occurrence (id, job, slot, origin) values (gen_random_uuid(), 'mail-job', clock_timestamp() + random() * interval '1 year', 'manual') returning id`,
  )
  await owner.pool.query(
    `insert into run (id, occurrence_id, job, digest, lane, state, label_level, label_integrity, label_lanes)
     select $1, $2, name, digest, lane, 'parked', $3, $4, $5 from job where name = 'mail-job'`,
    [run, rows[0]!.id, label.level, label.integrity, label.lanes],
  )
  return run
}
