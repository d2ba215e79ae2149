import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { loadIdentity } from '../src/outbox/operator-identity.ts'
import { homeDatabase } from './support/home-database.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'

const wantedKills = 100
const wantedRuns = 300
const jobs = ['north', 'east', 'south', 'west']

/** Every second a slot, a proposal in each run: small runs, many commits, so many places to die at. */
const job = (name: string) => `
name: ${name}
summary: A run a second, with a proposal
on: { schedule: [{ cron: "* * * * * *", timezone: UTC }] }
lane: private
missed: all
overlap: queue
retry: { tries: 10 }
steps:
  - id: text
    uses: text.template
    with: { template: "Slot {{ slot }} of {{ job.name }}", data: {} }
  - id: propose
    uses: outbox.propose
    with:
      connector: file
      proposals:
        - { key: "{{ slot }}", kind: mail, to: [someone@example.org], subject: "${name} {{ slot }}", text: "{{ steps.text.output.text }}" }
`

test('processes and database die a hundred times over three hundred runs, and nothing is lost or done twice', { timeout: 600_000 }, async (t) => {
  let deadly: string | undefined = '*=0.01'
  const house = await runningHouse(t, {
    jobs: Object.fromEntries(jobs.map((name) => [`${name}.yaml`, job(name)])),
    edit: (yaml) => yaml.replace('hold: 10s', 'hold: 1s'),
    faultPoints: () => deadly,
    limits: { crashes: Number.POSITIVE_INFINITY, windowMs: 60_000, backoffMs: [10] },
  })
  const database = await homeDatabase(t, house.home)
  const kills = countKills(house)
  const operator = approveEverything(house)
  t.after(operator.stop) // a test that gave up would go on signing, and its file would not end
  const one = async <T>(text: string) => (await database.pool.query(text)).rows[0] as T
  const closedRuns = () => one<{ n: number }>(`select count(*)::int as n from run where closed_at is not null`).then(({ n }) => n, () => 0)

  // workers and releaser die at their fault points as well, so from outside those die that have died least
  const names = [...house.up.processes.keys()]
  const victims = [...names, 'postgres'] as const
  const gaveUp = performance.now() + 300_000
  while (kills.count() < wantedKills || (await closedRuns()) < wantedRuns) {
    assert.ok(performance.now() < gaveUp, `only ${kills.count()} kills (${kills.tell()}) over ${await closedRuns()} runs`)
    await delay(50 + Math.random() * 200)
    // deaths spread over the runs, and only who lives can die
    if (kills.count() > 5 + (await closedRuns()) / 3) continue
    const pidOf = (name: (typeof victims)[number]) => {
      if (name === 'postgres') return house.up.databasePid()
      const child = house.up.processes.get(name)!
      return child.state.state === 'ready' ? child.pid : undefined
    }
    const victim = victims.filter((name) => pidOf(name) !== undefined).toSorted((a, b) => kills.of(a) - kills.of(b))[0]
    if (victim !== undefined) kills.kill(victim, pidOf(victim))
  }
  deadly = undefined
  for (const name of names) kills.kill(name, house.up.processes.get(name)!.pid)
  await until(() => names.every((name) => house.up.processes.get(name)!.state.state === 'ready'))
  for (const name of jobs) await again(() => house.call('server', 'POST', `/api/jobs/${name}/pause`, {}))
  await until(async () => (await one<{ n: number }>(`select count(*)::int as n from run where closed_at is null`)).n === 0)
  await until(async () => (await one<{ n: number }>(`select count(*)::int as n from proposal p where not exists (
    select 1 from draft d where d.proposal_id = p.id and d.closed_at is not null) and p.state <> 'refused'`)).n === 0)
  await operator.stop()
  t.diagnostic(`${kills.count()} kills (${kills.tell()}) over ${await closedRuns()} runs`)

  await t.test('every slot is recorded once and closed', async () => {
    for (const name of jobs) {
      const slots = await one<{ n: number; span: number; open: number; ran: number }>(
        `select count(*)::int as n, (extract(epoch from max(slot) - min(slot)))::int + 1 as span,
           count(*) filter (where state = 'due')::int as open, count(*) filter (where state = 'ran')::int as ran
         from occurrence where job = '${name}'`)
      assert.equal(slots.n, slots.span, `${name} has gaps`)
      assert.equal(slots.open, 0)
      assert.ok(slots.ran > 30)
    }
  })
  await t.test('no finished step ran again, and every run made one proposal', async () => {
    const twice = await database.pool.query(
      `select subject, detail ->> 'step' as step from audit_event where kind = 'step.closed' and detail ->> 'state' = 'succeeded' group by 1, 2 having count(*) > 1`)
    assert.deepEqual(twice.rows, [])
    const odd = await database.pool.query(
      `select r.id, r.state, count(p.id) from run r left join proposal p on p.run_id = r.id where r.state = 'succeeded' group by r.id having count(p.id) <> 1`)
    assert.deepEqual(odd.rows, [])
  })
  await t.test('every released draft is one file with the signed bytes, and there are no other files', async () => {
    const { rows } = await database.pool.query<{ id: string; state: string; wire: Buffer; document: string }>(`select id, state, wire, document from draft`)
    const folder = join(house.folder, 'outbox')
    const files = readdirSync(folder).filter((name) => name.endsWith('.eml'))
    const released = rows.filter(({ state }) => state === 'released')
    assert.ok(released.length > 100, `${released.length} released`)
    assert.deepEqual(files.sort(), released.map(({ id }) => `${id}.eml`).sort())
    for (const { id, wire, document } of released) {
      const sent = readFileSync(join(folder, `${id}.eml`))
      assert.ok(sent.equals(wire))
      assert.equal((JSON.parse(document) as { wire: { sha256: string } }).wire.sha256, createHash('sha256').update(sent).digest('hex'))
    }
  })
  await t.test('no nonce was spent twice', () => {
    const lines = readFileSync(join(house.home, 'releaser', 'spent-nonces.jsonl'), 'utf8').trim().split('\n')
    const entries = lines.map((line) => JSON.parse(line) as { nonce: string; act: string })
    // again only after it was returned: the database went away before anything was sent
    for (const [nonce, spent] of Map.groupBy(entries, (entry) => entry.nonce)) {
      assert.match(spent.map(({ act }) => act).join(' '), /^(release returned ?)*(release( failed)?|undo|lost|failed)?$/, nonce)
    }
  })
  await t.test('the audit verifies', async () => {
    await until(async () => (await verify(house)).unsealed.count === 0)
    assert.deepEqual((await verify(house)).ok, true)
  })
})

const verify = (house: RunningHouse) => again(() => house.call<{ ok: boolean; unsealed: { count: number } }>('releaser', 'GET', '/audit/verify'))

function countKills(house: RunningHouse) {
  const deaths = new Map<string, number>()
  const count = (name: string) => deaths.set(name, (deaths.get(name) ?? 0) + 1)
  for (const [name, child] of house.up.processes) {
    child.on('state', ({ state }) => {
      if (state === 'backoff') count(name)
    })
  }
  return {
    kill(name: string, pid: number | undefined) {
      if (pid === undefined) return
      try {
        process.kill(pid, 'SIGKILL')
        if (name === 'postgres') count(name)
      } catch {
        // it died by itself a moment ago
      }
    },
    of: (name: string) => deaths.get(name) ?? 0,
    count: () => [...deaths.values()].reduce((sum, n) => sum + n, 0),
    tell: () => [...deaths].map(([name, n]) => `${name} ${n}`).join(', '),
  }
}

/** The operator who signs whatever waits, again and again. */
function approveEverything(house: RunningHouse) {
  let stopping = false
  const working = (async () => {
    const identity = await loadIdentity(join(house.home, 'operator'), 'demonstration')
    while (!stopping) {
      const waiting = await house.call<{ id: string }[]>('releaser', 'GET', '/drafts?state=waiting&limit=50').catch(() => [])
      for (const { id } of waiting) {
        const draft = await house.call<{ challenge: string }>('releaser', 'GET', `/drafts/${id}`).catch(() => undefined)
        if (draft === undefined) continue
        const signature = identity.sign(Buffer.from(draft.challenge, 'hex'))
        await house.call('releaser', 'POST', `/drafts/${id}/decide`, { verdict: 'approve', keyId: identity.id, signature }).catch(() => {})
      }
      await delay(50)
    }
  })()
  return {
    stop: () => {
      stopping = true
      return working
    },
  }
}

async function until(holds: () => boolean | Promise<boolean>, patienceMs = 120_000): Promise<void> {
  for (const deadline = performance.now() + patienceMs; ; await delay(100)) {
    if (await Promise.resolve().then(holds).catch(() => false)) return
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${holds}`)
  }
}

async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (tries > 50) throw error
      await delay(100)
    }
  }
}
