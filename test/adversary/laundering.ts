import { newId } from '../../src/kernel/ids.ts'
import { brief, got, refused, refusalOf, stopped, type Attack, type Family, type Outcome } from './attack.ts'
import type { Field } from './field.ts'

/** A job of an open lane that has a cloud model read what its first step gave. */
export const launderingJobs: Readonly<Record<string, string>> = {
  'open-two-steps.yaml': `
summary: What its first step says, a cloud model reads
lane: open
overlap: allow
retry: { tries: 1 }
steps:
  - { id: first, uses: text.template, with: { template: "nothing" } }
  - { id: second, uses: model.ask, with: { task: cloud, prompt: "Sum up: {{ steps.first.output.text }}" } }
`,
}

const trusted = (level: number, lanes: readonly string[] = []) => ({ level, integrity: 'trusted', lanes })

/** A worker that was taken over calls every function that it may call, with what would give words a lower label, or runs of others to it. */
export function laundering(field: Field): Family {
  const { owner, roleOf, canaries } = field
  const secret = canaries[1]!.word
  const labelOf = async (table: string, id: string, key = 'id') => (await owner.pool.query<{ label_level: number; label_integrity: string; label_lanes: string[] }>(`select label_level, label_integrity, label_lanes from ${table} where ${key}::text = $1`, [id])).rows[0]!
  const call = (sql: string, values: readonly unknown[], worker: 'worker-open' | 'worker-private' = 'worker-private') => roleOf(worker).pool.query(sql, [...values])

  /** The private worker reads all; the open one asks the cloud. What the one says in a run of the other would get there. */
  async function throughOpenRun(): Promise<Outcome> {
    const run = newId()
    const claim = await owner.transaction(async (client) => {
      await client.query('set local session authorization castellan_server')
      await client.query(`select run_open($1, $2, 'open-two-steps', clock_timestamp() + random() * interval '1 year', 'manual', null, '{}')`, [run, newId()])
      await client.query('set local session authorization castellan_worker_private')
      const { rows } = await client.query<{ claim: { fence?: string; outcome: string } }>(`select run_claim($1, 'stolen', 1000) as claim`, [run])
      await client.query('reset session authorization')
      return rows[0]!.claim
    })
    if (claim.fence === undefined) return stopped(`run_claim: ${claim.outcome}`)
    await call('select run_advance($1, $2, $3)', [run, claim.fence, JSON.stringify({ step: 'first', state: 'succeeded', output: { text: secret }, label: trusted(1, ['open']) })])
    await call('select run_release($1, $2)', [run, claim.fence])
    const end = await field.house.call<{ state: string }>('server', 'GET', `/api/runs/${run}?wait=20`)
    const { rows } = await owner.pool.query<{ zone: string; state: string }>('select zone, state from model_call where run_id = $1', [run])
    return rows.some(({ zone, state }) => zone === 'cloud' && state !== 'refused') ? got('a cloud model read it') : stopped(`the run ended as ${end.state}`)
  }

  /** The label afterwards is no lower than it was. */
  const noLower = (table: string, of: () => Promise<string>, work: (id: string) => Promise<unknown>, key?: string) => async (): Promise<Outcome> => {
    const id = await of()
    const before = await labelOf(table, id, key)
    const end = await work(id).then((said) => `it answered ${brief(JSON.stringify((said as { rows: unknown[] }).rows[0]), 80)}`, refusalOf)
    const after = await labelOf(table, id, key)
    const isLower = after.label_level < before.label_level || (before.label_integrity === 'untrusted' && after.label_integrity === 'trusted') || before.label_lanes.some((lane) => !after.label_lanes.includes(lane))
    return isLower ? got(`the label of ${table} fell from P${before.label_level} to P${after.label_level}`) : stopped(`${end}; the label stays P${after.label_level} ${after.label_integrity} ${after.label_lanes.join('+')}`)
  }

  return {
    name: 'labels under a worker that was taken over',
    attacks(): Attack[] {
      const stolen = new Map<string, { run: string; fence: string }>()
      const p3 = async () => {
        const one = await field.steal('stolen-private', 3)
        stolen.set(one.run, one)
        return one.run
      }
      const fence = (run: string) => stolen.get(run)!.fence
      const advance = (label: unknown) => (run: string) => call('select run_advance($1, $2, $3)', [run, fence(run), JSON.stringify({ step: 'only', state: 'succeeded', output: { text: secret }, label })])
      return [
        { name: 'the private worker says a P3 word in a run of an open lane, whose next step asks a cloud model', attempt: throughOpenRun },
        { name: 'a P3 run says that its step was P0', attempt: noLower('run', p3, advance(trusted(0))) },
        { name: 'a P3 run says that its step belongs to another lane', attempt: noLower('run', p3, advance(trusted(0, ['open']))) },
        { name: 'a P3 run says a level below all', attempt: noLower('run', p3, advance(trusted(-5))) },
        { name: 'a P3 run says no label', attempt: noLower('run', p3, advance(null)) },
        { name: 'a P3 run says a label that is none', attempt: noLower('run', p3, advance({ level: '0; update run set label_level = 0', lanes: 'open' })) },
        { name: 'a P3 run gives its bytes the label of P0 files', attempt: noLower('run', p3, (run) => call(`select file_written($1, $2, sha256('x'), 0::smallint, 'trusted', '{}')`, [run, fence(run)])) },
        { name: 'bytes that are P3 are written again as P0', attempt: noLower('file_label', async () => {
          const run = await p3()
          await call(`select file_written($1, $2, sha256('y'), 3::smallint, 'untrusted', '{private}')`, [run, fence(run)])
          await call(`select file_written($1, $2, sha256('y'), 0::smallint, 'trusted', '{}')`, [run, fence(run)])
          return `\\x${Buffer.from((await owner.pool.query<{ hash: Buffer }>(`select sha256('y') as hash`)).rows[0]!.hash).toString('hex')}`
        }, async () => ({ rows: [] }), 'hash') },
        { name: 'a letter is said to be P0 after it was read', attempt: noLower('mail_message', async () => (await owner.pool.query<{ id: string }>('select id from mail_message order by label_level desc limit 1')).rows[0]!.id,
          (id) => call(`select mail_parsed($1, 'x@y', '{}', 'x', null, 0::smallint)`, [id])) },
        { name: 'a proposal of a P3 run is made again by a P1 run', attempt: async () => {
          const [high, low] = [await field.steal('stolen-private', 3), await field.steal('stolen-private', 1)]
          const id = newId()
          await call('select proposal_open($1, $2, $3, $4, $5, $6, $7, $8)', [id, high.run, high.fence, 'only', 'same', 'mail', 'file', '{}'])
          const again = await call('select proposal_open($1, $2, $3, $4, $5, $6, $7, $8)', [id, low.run, low.fence, 'only', 'same', 'mail', 'file', '{}']).then(() => 'it took it', refusalOf)
          return (await labelOf('proposal', id)).label_level < 3 ? got('the proposal is lower now') : stopped(again)
        } },
        { name: 'a fence is made up', attempt: async () => refused(async () => call('select session_open($1, gen_random_uuid())', [(await field.steal('stolen-private', 3)).run])) },
        { name: 'a proposal is made in a run that somebody else holds', attempt: async () => refused(async () => call('select proposal_open($1, $2, gen_random_uuid(), $3, $4, $5, $6, $7)', [newId(), (await field.steal('stolen-private', 1)).run, 'only', 'x', 'mail', 'file', '{}'])) },
        { name: 'a proposal is made in a step that is not being done', attempt: async () => refused(async () => {
          const { run, fence } = await field.steal('stolen-private', 1)
          return call('select proposal_open($1, $2, $3, $4, $5, $6, $7, $8)', [newId(), run, fence, 'another', 'x', 'mail', 'file', '{}'])
        }) },
        { name: 'the open worker takes a P3 run', attempt: async () => {
          const { rows } = await call(`select run_claim($1, 'stolen', 1000) as claim`, [(await field.steal('stolen-private', 3)).run], 'worker-open')
          const { claim } = rows[0] as { claim: { outcome: string; fence?: string } }
          return claim.fence === undefined ? stopped(`run_claim: ${claim.outcome}`) : got('it has its fence')
        } },
        { name: 'the open worker reads what P3 runs gave', attempt: async () => {
          const { rows } = await call('select id from step where label_level > 1 union all select null from run where label_level > 1 union all select null from mail_message where label_level > 1', [], 'worker-open')
          return rows.length > 0 ? got(`${rows.length} rows`) : stopped('row-level security: 0 rows')
        } },
        { name: 'the open worker reads a letter by its id', attempt: async () => {
          const { rows: [letter] } = await owner.pool.query<{ id: string }>('select id from mail_message limit 1')
          const { rows } = await call('select body_text from mail_message where id = $1', [letter!.id], 'worker-open')
          return rows.length > 0 ? got('it has it') : stopped('row-level security: 0 rows')
        } },
        { name: 'a worker redacts its own body', attempt: () => refused(() => call(`select declassify(gen_random_uuid(), sha256('k'), 'mine', sha256('a'), sha256('b'), 2::smallint, '{}', '1 day')`, [])) },
        { name: 'a worker says that somebody else’s redaction was used', attempt: () => refused(() => call(`select declassification_use(gen_random_uuid(), sha256('k'), sha256('b'))`, [])) },
        { name: 'a worker clears the cloud for its lane', attempt: () => refused(() => call(`select clearance_grant(gen_random_uuid())`, [])) },
        { name: 'a worker makes itself a key for the gates', attempt: () => refused(() => call(`select client_key_make(gen_random_uuid(), 'mine', sha256('k'), 'cloud', 'open', 1::smallint, '{}', null)`, [])) },
        { name: 'a worker opens a run', attempt: () => refused(() => call(`select run_open(gen_random_uuid(), gen_random_uuid(), 'stolen-open', now(), 'manual', null, '{}')`, [])) },
        { name: 'a worker has the run of a draft go on', attempt: () => refused(() => call(`select run_wake(gen_random_uuid())`, [])) },
        { name: 'a worker says in the audit that something was decided', attempt: () => refused(() => call(`select audit_append('draft.decided', 'forged', '{}')`, [])) },
        { name: 'the listener of webhooks reads what came', attempt: () => refused(async () => (await roleOf('listener').pool.query('select * from inbound_event')).rows) },
        { name: 'the listener gives an event a label of its choice', attempt: () => refused(() => roleOf('listener').pool.query(`insert into inbound_event (id, source, event_id, type, received_at, body, label_level) values (gen_random_uuid(), 'hub', 'e', 'push', now(), '', 0)`)) },
      ]
    },
  }
}
