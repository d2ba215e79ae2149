import { chmodSync, chownSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Database } from '../../src/kernel/database/connect.ts'
import { newId } from '../../src/kernel/ids.ts'
import { createIdentity, loadIdentity, type OperatorIdentity } from '../../src/outbox/operator-identity.ts'
import type { Boot, ProcessName } from '../../src/processes/boot.ts'
import type { SupervisedProcess } from '../../src/processes/supervise.ts'
import { freePort } from '../support/free-port.ts'
import { homeDatabase } from '../support/home-database.ts'
import { runningHouse, type RunningHouse } from '../support/running-house.ts'
import { refusalOf } from './attack.ts'
import { hatch, type Canary } from './canaries.ts'
import { settingsOf, writeHouse, type HouseFiles } from './house-files.ts'
import { openOutside, type Cleanup, type Outside } from './outside.ts'

/** A run that the attacker holds, as a worker that was taken over would: with its fence and its key for the gates. */
export interface StolenRun {
  readonly run: string
  readonly fence: string
  readonly key: string
}

/** What became of a proposal: the draft that it was frozen into, or what refused it. */
export interface Fate {
  readonly proposal: string
  readonly draft?: FrozenDraft
  readonly refusal?: string
}

export interface FrozenDraft {
  readonly id: string
  readonly state: string
  readonly risk: number
  readonly label_level: number
  readonly document: string
}

export interface Proposal {
  readonly kind: string
  readonly connector: string
  readonly payload: unknown
}

/** The house, everybody around it, and what an attacker may have taken over. */
export interface Field {
  readonly house: RunningHouse
  readonly outside: Outside
  readonly canaries: readonly Canary[]
  readonly webhookPort: number
  /** What nobody in Castellan but `up` can do; for looking, and for what is done to rows behind everybody's back. */
  readonly owner: Database
  /** Signs for everything; the other for files only. */
  readonly operator: OperatorIdentity
  readonly demonstration: OperatorIdentity
  /** All that a process was told when it was started. */
  bootOf(process: ProcessName): Boot
  /** With the login of that process. */
  roleOf(process: ProcessName | 'listener'): Database
  steal(job: 'stolen-private' | 'stolen-open' | 'stolen-client', level: 0 | 1 | 2 | 3): Promise<StolenRun>
  /** As a worker that was taken over: past everything that its tools would have said. */
  propose(proposals: readonly Proposal[], level?: 1 | 2 | 3): Promise<Fate[]>
  /** Runs a job to its end. */
  run(job: string, input: Record<string, unknown>): Promise<RunEnd>
  /** Of the releaser, as the terminal asks it. */
  approve(draft: string, key?: OperatorIdentity): Promise<unknown>
  becomes(draft: string, state: string): Promise<string>
}

export interface RunEnd {
  readonly id: string
  readonly state: string
  readonly error: { readonly code?: string; readonly message?: string } | null
  readonly steps: readonly { readonly id: string; readonly state: string; readonly output: unknown; readonly error: { readonly code?: string; readonly message?: string } | null }[]
  readonly label: { readonly word: string }
}

const stolenJob = (lane: string) => `
summary: Held by whoever took its worker over
lane: ${lane}
overlap: allow
steps: [{ id: only, uses: text.template, with: { template: "nothing" } }]
`

export async function openField(t: Cleanup, files: HouseFiles, say: (line: string) => void): Promise<Field> {
  const canaries = [hatch(2), hatch(3)]
  const outside = await openOutside(t)
  const webhookPort = await freePort()
  say('starting the house')
  const house = await runningHouse(t, {
    jobs: { ...files.jobs, 'stolen-private.yaml': stolenJob('private'), 'stolen-open.yaml': stolenJob('open'), 'stolen-client.yaml': stolenJob('client') },
    edit: () => settingsOf(outside, webhookPort),
    prepare: (home) => writeHouse(home, settingsOf(outside, webhookPort), files, canaries),
  })
  const problems = house.up.house().problems.filter(({ severity }) => severity === 'error')
  if (problems.length > 0) throw new Error(`the house is not in order: ${JSON.stringify(problems)}`)
  giveToWorker(join(house.folder, 'tray'))
  const owner = await homeDatabase(t, house.home)
  const pools = new Map<string, Database>()
  const bootOf = (name: ProcessName) => (house.up.processes.get(name) as SupervisedProcess).spec.boot()
  const operator = await createIdentity(join(house.home, 'operator'), { name: 'operator', scope: 'operator', passphrase: 'correct horse battery' })
  await house.call('releaser', 'POST', '/keys/enroll', operator.enrolment())
  const demonstration = await loadIdentity(join(house.home, 'operator'), 'demonstration')

  function roleOf(name: ProcessName | 'listener'): Database {
    const known = pools.get(name)
    if (known) return known
    const database = connect(name === 'listener' ? bootOf('server').listener! : bootOf(name).database, { application: 'stolen', max: 2 })
    pools.set(name, database)
    t.after(() => database.close())
    return database
  }

  const field: Field = {
    house, outside, canaries, webhookPort, owner, operator, demonstration, bootOf, roleOf,

    async steal(job, level) {
      const run = newId()
      const worker = job === 'stolen-private' || level > 1 ? 'castellan_worker_private' : 'castellan_worker_open'
      return owner.transaction(async (client) => {
        // in one transaction, so that no worker of the house takes it first
        await client.query(`set local session authorization castellan_server`)
        await client.query(`select run_open($1, $2, $3, clock_timestamp() + random() * interval '1 year', 'manual', null, '{}')`, [run, newId(), job])
        await client.query(`reset session authorization`)
        await client.query('update run set label_level = greatest(label_level, $2) where id = $1', [run, level])
        await client.query(`delete from pgboss.job where data ->> 'run_id' = $1`, [run])
        await client.query(`set local session authorization ${worker}`)
        const { rows: [claimed] } = await client.query<{ claim: { fence: string; outcome: string } }>(`select run_claim($1, 'stolen', 1000) as claim`, [run])
        const { rows: [opened] } = await client.query<{ key: string }>('select session_open($1, $2) as key', [run, claimed!.claim.fence])
        await client.query(`reset session authorization`)
        return { run, fence: claimed!.claim.fence, key: opened!.key }
      })
    },

    async propose(proposals, level = 1) {
      const { run, fence } = await field.steal('stolen-private', level)
      const ids = proposals.map(() => newId())
      const unwritten = new Map<string, string>()
      for (const [index, { kind, connector, payload }] of proposals.entries()) {
        await roleOf('worker-private').pool.query('select proposal_open($1, $2, $3, $4, $5, $6, $7, $8)', [ids[index], run, fence, 'only', `item ${index}`, kind, connector, JSON.stringify(payload)])
          .catch((error: unknown) => unwritten.set(ids[index]!, refusalOf(error)))
      }
      await until(async () => (await owner.pool.query(`select 1 from proposal where id = any ($1) and state = 'proposed'`, [ids])).rowCount === 0, 'the freeze')
      const { rows } = await owner.pool.query<{ refusal: string | null; draft: FrozenDraft | null }>(
        `select (select detail ->> 'code' from audit_event where kind = 'draft.refused' and subject = p.id::text) as refusal,
           (select jsonb_build_object('id', d.id, 'state', d.state, 'risk', d.risk, 'label_level', d.label_level, 'document', d.document) from draft d where d.proposal_id = p.id) as draft
         from unnest($1::uuid[]) with ordinality as asked(id, place) left join proposal p on p.id = asked.id order by place`, [ids])
      return rows.map(({ draft, refusal }, index) => {
        const why = unwritten.get(ids[index]!) ?? (refusal === null ? undefined : `fault ${refusal} at the freeze`)
        return { proposal: ids[index]!, ...(draft && { draft }), ...(why !== undefined && { refusal: why }) }
      })
    },

    async run(job, input) {
      const { id } = await house.call<{ id: string }>('server', 'POST', `/api/jobs/${job}/run`, { input })
      return house.call<RunEnd>('server', 'GET', `/api/runs/${id}?wait=30`)
    },

    async approve(draft, key = operator) {
      const { challenge } = await house.call<{ challenge: string }>('releaser', 'GET', `/drafts/${draft}`)
      return house.call('releaser', 'POST', `/drafts/${draft}/decide`, { verdict: 'approve', keyId: key.id, signature: key.sign(Buffer.from(challenge, 'hex')) })
    },

    async becomes(draft, state) {
      let was = ''
      await until(async () => {
        const { rows } = await owner.pool.query<{ state: string; reason: string | null }>('select state, reason from draft where id = $1', [draft])
        was = `${rows[0]!.state}: ${rows[0]!.reason ?? ''}`
        return rows[0]!.state === state || ['failed', 'unknown', 'expired'].includes(rows[0]!.state)
      }, `draft ${draft} ${state}`)
      return was
    },
  }
  return field
}

/** As if a worker had written what lies there: the releaser moves only what it could have changed as well. */
function giveToWorker(folder: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    chownSync(path, uid, gid)
    chmodSync(path, entry.isDirectory() ? 0o2770 : 0o660)
  }
}

export async function until(holds: () => Promise<boolean>, what: string, patienceMs = 20_000): Promise<void> {
  for (const deadline = performance.now() + patienceMs; !(await holds()); await delay(50)) {
    if (performance.now() > deadline) throw new Error(`${what} did not come`)
  }
}
