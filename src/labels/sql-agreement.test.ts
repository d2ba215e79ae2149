import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { testDatabase } from '../../test/support/database.ts'
import { covers, join, toRow, type Label } from './label.ts'
import { cloudClearance, mayExecute, mayRedact, maySee, providerClearance, queueOf, type Lanes } from './lane.ts'
import { arbitraryLabel, arbitraryLanes, laneNames } from './labels.arbitrary.ts'

const database = await testDatabase()

/** A house with these lanes, and nothing else. */
async function declare(lanes: Lanes): Promise<void> {
  await database.owner.pool.query('delete from lane')
  await database.owner.pool.query('delete from clearance')
  for (const { name, worker, cloudClearance: clearance, cleared = [], providers, redacts } of lanes.values()) {
    await database.owner.pool.query('insert into lane (name, worker, cloud_clearance, providers, redacts) values ($1, $2, $3, $4, $5)', [name, worker, clearance, providers, redacts ?? false])
    for (const provider of cleared) await database.owner.pool.query('insert into clearance (id, lane, upstream, url, level) values (gen_random_uuid(), $1, $2, $3, 2)', [name, provider.name, provider.url])
  }
}

const houses = fc.sample(arbitraryLanes, { numRuns: 12, seed: 20261120 })
const labels = fc.sample(arbitraryLabel, { numRuns: 60, seed: 20261120 })
const wantedLanes = [...laneNames, 'undeclared']

/** One row for each label, in its order, so that a hundred cases cost one query. */
function columns(given: readonly Label[]): [number[], string[], string[]] {
  const rows = given.map(toRow)
  return [rows.map((row) => row.label_level), rows.map((row) => row.label_integrity), rows.map((row) => JSON.stringify(row.label_lanes))]
}

const cases = `unnest($1::smallint[], $2::text[], $3::jsonb[]) with ordinality as given(level, integrity, lanes_json, place),
  lateral (select coalesce(array_agg(l), '{}') as lanes from jsonb_array_elements_text(lanes_json) as e(l)) as x`

test('clearance, queue and the right to execute are what the pure rules say, in random houses', async () => {
  for (const lanes of houses) {
    await declare(lanes)
    for (const [role, worker] of [['castellan_worker_open', 'open'], ['castellan_worker_private', 'private']] as const) {
      for (const lane of wantedLanes) {
        const { rows } = await database.as(role).pool.query(
          `select cloud_clearance(lanes) as clearance, queue_of($4, level, lanes) as queue, may_execute($4, level, lanes) as may from ${cases} order by place`,
          [...columns(labels), lane],
        )
        assert.deepEqual(
          rows.map(({ clearance, queue, may }) => ({ clearance, queue, may: may === true })),
          labels.map((label) => ({ clearance: cloudClearance(label, lanes), queue: queueOf(lane, label, lanes), may: mayExecute(worker, lane, label, lanes) })),
          `${role} ${lane}`,
        )
      }
    }
  }
})

test('what may be redacted down in SQL is what the pure rule says', async () => {
  const may = []
  for (const lanes of houses) {
    await declare(lanes)
    const { rows } = await database.owner.pool.query(`select may_redact(level, lanes) as may from ${cases} order by place`, columns(labels))
    assert.deepEqual(rows.map((row) => row.may === true), labels.map((label) => mayRedact(label, lanes)))
    may.push(...rows.map((row) => row.may))
  }
  assert.ok(may.includes(true) && may.includes(false))
})

test('the providers that an act clears are in SQL what the pure rule says, where each is at the address of its act', async () => {
  const outcomes = new Set<string>()
  for (const lanes of houses) {
    // two acts for one name differ in the address alone, which the gate compares and the database does not know
    const plain = new Map([...lanes].map(([name, lane]) => [name, { ...lane, cleared: lane.cleared!.filter(({ url }) => url !== 'https://elsewhere.example') }]))
    await declare(plain)
    for (const provider of [{ name: 'cloud_one', url: 'https://one.example' }, { name: 'cloud_two', url: 'https://two.example' }, { name: 'cloud_three', url: 'https://three.example' }]) {
      const { rows } = await database.as('castellan_gate_cloud').pool.query(`select cloud_cleared(lanes, $4, level) as cleared from ${cases} order by place`, [...columns(labels), provider.name])
      const wanted = labels.map((label) => label.level <= providerClearance(label, plain, provider))
      assert.deepEqual(rows.map(({ cleared }) => cleared), wanted, provider.name)
      labels.forEach((label, place) => outcomes.add(`${label.level} ${wanted[place]}`))
    }
  }
  assert.ok(outcomes.has('2 true') && outcomes.has('2 false') && !outcomes.has('3 true'))
})

test('two labels join in SQL as they join in the source, whatever their lanes are called', async () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,5}$/)
  const lanes = fc.uniqueArray(name, { maxLength: 5 }).map((names) => names.sort())
  const pairs = fc.sample(fc.tuple(arbitraryLabel, arbitraryLabel, lanes, lanes), { numRuns: 200, seed: 7 })
    .map(([a, b, ofA, ofB]) => [{ ...a, lanes: ofA }, { ...b, lanes: ofB }] as const)
    .filter((pair) => pair.every((label) => label.level !== 2 || label.lanes.length > 0))
  for (const [a, b] of [...pairs, [{ ...pairs[0]![0], lanes: ['a-b', 'a_c', 'aa', 'b'] }, { ...pairs[0]![1], lanes: ['a', 'a0', 'a-', 'ab'] }] as const]) {
    const { rows } = await database.owner.pool.query(
      'select greatest($1::smallint, $4::smallint)::integer as level, integrity_join($2, $5) as integrity, lanes_join($3, $6) as lanes',
      [a.level, a.integrity, a.lanes, b.level, b.integrity, b.lanes],
    )
    assert.deepEqual(rows[0], join(a, b))
  }
})

test('a row takes a new label exactly when the new one covers the old', async () => {
  const pairs = fc.sample(fc.tuple(arbitraryLabel, arbitraryLabel, fc.boolean()), { numRuns: 150, seed: 11 })
    .map(([a, b, raise]) => [a, raise ? join(a, b) : b] as const)
  const risen = []
  for (const [index, [from, to]] of pairs.entries()) {
    const hash = createHash('sha256').update(`trigger ${index}`).digest()
    await database.owner.pool.query('insert into content (hash, label_level, label_integrity, label_lanes) values ($1, $2, $3, $4)', [hash, from.level, from.integrity, from.lanes])
    const update = database.owner.pool.query('update content set label_level = $2, label_integrity = $3, label_lanes = $4 where hash = $1', [hash, to.level, to.integrity, to.lanes])
    const outcome = await update.then(() => 'risen', (error: { code: string }) => error.code)
    assert.equal(outcome, covers(to, from) ? 'risen' : 'CA001', JSON.stringify([from, to]))
    risen.push(outcome)
  }
  assert.ok(risen.includes('risen') && risen.includes('CA001'))
})

test('the open worker sees exactly the rows that the pure rules let it see, the private one all', async () => {
  await database.owner.pool.query('delete from content')
  const hashes = labels.map((_, index) => createHash('sha256').update(`row ${index}`).digest())
  for (const [index, label] of labels.entries()) {
    await database.owner.pool.query('insert into content (hash, label_level, label_integrity, label_lanes) values ($1, $2, $3, $4)', [hashes[index], label.level, label.integrity, label.lanes])
  }
  for (const lanes of houses) {
    await declare(lanes)
    for (const [role, worker] of [['castellan_worker_open', 'open'], ['castellan_worker_private', 'private']] as const) {
      const { rows } = await database.as(role).pool.query<{ hash: Buffer }>('select hash from content')
      const seen = new Set(rows.map(({ hash }) => hash.toString('hex')))
      assert.deepEqual(hashes.map((hash) => seen.has(hash.toString('hex'))), labels.map((label) => maySee(worker, label, lanes)), role)
    }
  }
})
