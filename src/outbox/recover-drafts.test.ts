import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { countedConnector, releaserLife, type ReleaserTask } from '../../test/support/releaser-child.ts'
import { aMail, snapshot, testOutbox, untrustedInternal, type TestOutbox } from '../../test/support/outbox.ts'
import { textOfWire } from './compose/read-wire.ts'
import { listDrafts } from './draft-queries.ts'
import { freezeProposals } from './freeze-proposal.ts'
import { recoverDrafts } from './recover-drafts.ts'
import { releaseDrafts } from './release-drafts.ts'
import { undoDraft } from './undo-draft.ts'

const sent = (outbox: TestOutbox) => (existsSync(outbox.outgoing) ? readdirSync(outbox.outgoing).sort() : [])
const spentFile = (outbox: TestOutbox) => join(outbox.folder, 'spent-nonces.jsonl')

type LifeOptions = Pick<ReleaserTask, 'faultPoints' | 'undo' | 'edit'>

/** Lives a releaser's life in a process of its own. @returns the signal or the code it ended with */
function live(outbox: TestOutbox, options: LifeOptions): Promise<string | number> {
  const task: ReleaserTask = {
    connection: outbox.database.connection('castellan_releaser'), folder: outbox.folder, outgoing: outbox.outgoing, settings: outbox.settings,
    key: { id: outbox.key.id, pem: outbox.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }, now: outbox.clock.now().toISOString(), ...options,
  }
  const child = join(import.meta.dirname, '..', '..', 'test', 'support', 'releaser-child.ts')
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [child, JSON.stringify(task)], (error, _stdout, stderr) => {
      if (!error) resolve(0)
      else if (error.signal) resolve(error.signal)
      else reject(new Error(`${error.message}\n${stderr}`))
    })
  })
}

function deliveries(outbox: TestOutbox): string[] {
  const log = join(outbox.folder, 'deliveries')
  return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []
}

/** What the process that comes after it makes of it; in this process, to be quick. */
async function liveHere(outbox: TestOutbox, options: LifeOptions = {}): Promise<void> {
  await releaserLife(await outbox.reopenSpent(), outbox.clock, outbox.key, options)
}

async function outboxThatCounts(t: TestContext): Promise<TestOutbox> {
  const outbox: TestOutbox = await testOutbox(t, { connectors: (outgoing) => [countedConnector(join(outgoing, '..'), outgoing)] })
  await outbox.deps.spent.close()
  return outbox
}

async function afterCrash(outbox: TestOutbox, options: LifeOptions) {
  await outbox.propose()
  assert.equal(await live(outbox, options), 'SIGKILL', `nothing passes ${options.faultPoints}`)
  await liveHere(outbox, options)
  const drafts = await listDrafts(outbox.database.owner.pool, { limit: 10 })
  const last = drafts.filter(({ id }) => !drafts.some(({ replaces }) => replaces === id))
  assert.equal(last.length, 1)
  return last[0]!
}

const crashes: Record<string, ['released' | 'unknown', number]> = {
  'draft.freeze:before': ['released', 1], 'draft.freeze:after': ['released', 1],
  'draft.decide:before': ['released', 1], 'draft.decide:after': ['released', 1],
  'draft.releasing:before': ['released', 1], 'draft.releasing:after': ['released', 1],
  'nonce.spend:before': ['released', 1], 'nonce.spend:after': ['unknown', 0],
  'connector.deliver:before': ['unknown', 0], 'connector.deliver:after': ['released', 1],
  'draft.released:before': ['released', 1], 'draft.released:after': ['released', 1],
}
for (const [point, [state, times]] of Object.entries(crashes)) {
  test(`killed at ${point}, the draft ends ${state} and was handed over ${times} times`, async (t) => {
    const outbox = await outboxThatCounts(t)
    const { id } = await afterCrash(outbox, { faultPoints: `${point}=1` })
    const draft = await outbox.draft(id)
    assert.equal(draft.state, state)
    assert.equal(deliveries(outbox).length, times)
    assert.deepEqual(sent(outbox), times ? [`${id}.eml`] : [])
    if (times) assert.deepEqual(readFileSync(join(outbox.outgoing, `${id}.eml`)), draft.wire)
    assert.equal((await outbox.audited(id)).at(-1), `draft.${state}`)
  })
}

for (const point of ['draft.undo:before', 'draft.undo:after']) {
  test(`killed at ${point}, the approval stays taken back and its successor leaves once`, async (t) => {
    const outbox = await outboxThatCounts(t)
    const { id, replaces } = await afterCrash(outbox, { faultPoints: `${point}=1`, undo: true })
    assert.equal((await outbox.draft(replaces!)).state, 'undone')
    assert.equal((await outbox.draft(id)).state, 'released')
    assert.deepEqual(sent(outbox), [`${id}.eml`])
  })
}

for (const point of ['draft.edit:before', 'draft.edit:after']) {
  test(`killed at ${point}, one draft of the act leaves, once, and never the first`, async (t) => {
    const outbox = await outboxThatCounts(t)
    const { id } = await afterCrash(outbox, { faultPoints: `${point}=1`, edit: true })
    const [first] = (await listDrafts(outbox.database.owner.pool, { limit: 10 })).filter(({ replaces }) => replaces === null)
    assert.equal((await outbox.draft(first!.id)).state, 'replaced')
    const draft = await outbox.draft(id)
    assert.equal(draft.state, 'released')
    assert.deepEqual(sent(outbox), [`${id}.eml`])
    // before the commit the nonce was on the disk and the edit nowhere: the first words wait again, and say so
    assert.equal(textOfWire(draft.wire), point.endsWith('after') ? 'edited\n' : aMail.text)
    assert.equal(/an edit of it was lost/.test(draft.document), point.endsWith('before'))
  })
}

test('killed anywhere, again and again, nothing is handed over twice', async (t) => {
  const outbox = await outboxThatCounts(t)
  for (let index = 0; index < 6; index += 1) await outbox.propose({ ...aMail, subject: `mail ${index}` })
  let kills = 0
  for (let life = 0; life < 8; life += 1) kills += (await live(outbox, { faultPoints: '*=0.08', undo: true, edit: true })) === 'SIGKILL' ? 1 : 0
  await liveHere(outbox, { undo: true })
  await liveHere(outbox, { undo: true })
  const handedOver = deliveries(outbox)
  assert.equal(new Set(handedOver).size, handedOver.length)
  const drafts = await listDrafts(outbox.database.owner.pool, { limit: 100 })
  for (const { id, state } of drafts) {
    if (state === 'released') assert.deepEqual(readFileSync(join(outbox.outgoing, `${id}.eml`)), (await outbox.draft(id)).wire)
    else assert(['undone', 'unknown', 'replaced'].includes(state), `${state} after ${kills} kills`)
  }
  const released = drafts.filter(({ state }) => state === 'released').map(({ id }) => `${id}.eml`)
  assert.deepEqual(sent(outbox), released.sort())
})

async function flip({ database: { owner } }: TestOutbox, id: string, state: string): Promise<void> {
  await owner.transaction(async (client) => {
    await client.query('alter table draft disable trigger all')
    await client.query(`update draft set state = $2, closed_at = null, reason = null where id = $1`, [id, state])
    await client.query('alter table draft enable trigger all')
  })
}

test('a database restored from before the release releases nothing again', async (t) => {
  for (const stage of ['waiting', 'held', 'releasing'] as const) {
    const outbox = await testOutbox(t)
    const draft = await outbox.freeze()
    if (stage !== 'waiting') await outbox.approve(draft.id)
    if (stage === 'releasing') await flip(outbox, draft.id, 'releasing')
    const restore = await snapshot(outbox)
    if (stage === 'releasing') await flip(outbox, draft.id, 'held')
    if (stage === 'waiting') await outbox.approve(draft.id)
    outbox.clock.advance(10_000)
    assert.equal((await releaseDrafts(outbox.deps)).released, 1)
    rmSync(outbox.outgoing, { recursive: true }) // taken out of the folder by whoever sends it on

    await restore()
    if (stage === 'waiting') assert.deepEqual(await outbox.approve(draft.id), { outcome: 'too_late', was: 'unknown' })
    await restore()
    assert.equal((await releaseDrafts(outbox.deps)).released, 0)
    await restore()
    const deps = await outbox.reopenSpent()
    await recoverDrafts(deps)
    assert.equal((await releaseDrafts(deps)).released, 0)
    assert.equal((await outbox.draft(draft.id)).state, 'unknown', stage)
    assert.deepEqual(sent(outbox), [])
    await outbox.freeze()
    assert.equal((await outbox.database.owner.pool.query('select spent_nonces from releaser_state')).rows[0].spent_nonces, 1)
  }
})

test('when the file that was written still lies there, a restored draft is known to be released', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.readyToRelease()
  const restore = await snapshot(outbox)
  await releaseDrafts(outbox.deps)
  await restore()
  await recoverDrafts(outbox.deps)
  assert.equal((await outbox.draft(id)).state, 'released')
  assert.equal((await outbox.audited(id)).filter((kind) => kind === 'draft.released').length, 2)
})

test('a database restored from before the freeze does not freeze the same act of the same run again', async (t) => {
  const outbox = await testOutbox(t)
  const { run } = await outbox.propose(aMail, { item: 'eva' })
  const restore = await snapshot(outbox)
  await freezeProposals(outbox.deps)
  const [draft] = await listDrafts(outbox.database.owner.pool, { limit: 1 })
  await outbox.approve(draft!.id)
  outbox.clock.advance(10_000)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)

  await restore()
  assert.deepEqual(await freezeProposals(outbox.deps), { frozen: 0, refused: 1, more: false })
  const { rows } = await outbox.database.owner.pool.query('select refusal from proposal')
  assert.match(rows[0].refusal, /released on 2026-03-02/)
  // restored from before the proposal: the run proposes anew, under another id
  await outbox.database.owner.pool.query('delete from proposal')
  await outbox.propose(aMail, { item: 'eva', run, label: untrustedInternal })
  assert.deepEqual(await freezeProposals(outbox.deps), { frozen: 0, refused: 1, more: false })
})

test('whichever state a superuser flips a draft back to, it is not released a second time', async (t) => {
  for (const state of ['signed', 'held', 'releasing', 'waiting']) {
    const outbox = await testOutbox(t)
    const { id } = await outbox.readyToRelease()
    await releaseDrafts(outbox.deps)
    rmSync(outbox.outgoing, { recursive: true })
    await flip(outbox, id, state)
    assert.deepEqual(await releaseDrafts(outbox.deps), { released: 0, astray: false })
    assert.equal((await outbox.draft(id)).state, state === 'held' ? 'unknown' : state)
    await recoverDrafts(outbox.deps)
    assert.equal((await releaseDrafts(outbox.deps)).released, 0)
    assert.equal((await outbox.draft(id)).state, 'unknown')
    assert.deepEqual(sent(outbox), [])
  }
})

test('an approval that was taken back is not brought back by a superuser', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  await outbox.approve(id)
  const undone = await undoDraft(outbox.deps, id)
  assert(undone.outcome === 'undone')
  await outbox.database.owner.pool.query('delete from draft where id = $1', [undone.draft])
  await flip(outbox, id, 'held')
  outbox.clock.advance(10_000)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  assert.equal((await outbox.draft(id)).state, 'undone')
  assert.deepEqual(sent(outbox), [])
})

test('a signed draft without a hold, which Castellan never leaves behind, is a question', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.readyToRelease()
  await flip(outbox, id, 'signed')
  await recoverDrafts(outbox.deps)
  assert.equal((await outbox.draft(id)).state, 'unknown')
})

test('a draft that a superuser puts there without a signature is not released', async (t) => {
  const outbox = await testOutbox(t)
  const { id } = await outbox.freeze()
  await flip(outbox, id, 'held')
  await outbox.database.owner.pool.query('update draft set hold_until = $2 where id = $1', [id, outbox.clock.now()])
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  assert.match((await outbox.draft(id)).reason!, /nobody signed/)
})

test('without the file of spent nonces, or with an older one, everything in flight becomes a question', async (t) => {
  for (const loss of ['missing', 'older'] as const) {
    const outbox = await testOutbox(t)
    await outbox.readyToRelease()
    await releaseDrafts(outbox.deps)
    const older = readFileSync(spentFile(outbox))
    const released = await outbox.readyToRelease()
    await releaseDrafts(outbox.deps)
    const held = await outbox.readyToRelease()
    const releasing = await outbox.readyToRelease()
    await flip(outbox, releasing.id, 'releasing')
    const waiting = await outbox.freeze()
    const before = sent(outbox)

    await outbox.deps.spent.close()
    loss === 'missing' ? rmSync(spentFile(outbox)) : writeFileSync(spentFile(outbox), older)
    const deps = await outbox.reopenSpent()
    await recoverDrafts(deps)
    for (const { id } of [held, releasing]) {
      const draft = await outbox.draft(id)
      assert.equal(draft.state, 'unknown')
      assert.match(draft.reason!, /lost/)
      assert.equal((await outbox.audited(id)).at(-1), 'draft.unknown')
    }
    assert.deepEqual(await outbox.audited('releaser'), ['nonce.lost'])
    // from now on the new file knows of them all
    await flip(outbox, released.id, 'held')
    await flip(outbox, held.id, 'held')
    assert.equal((await releaseDrafts(deps)).released, 0)
    assert.deepEqual(sent(outbox), before)
    await recoverDrafts(await outbox.reopenSpent())
    assert.deepEqual(await outbox.audited('releaser'), ['nonce.lost'])
    // what nobody had signed is as it was
    await outbox.approve(waiting.id)
    outbox.clock.advance(10_000)
    assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  }
})

test('an act whose draft was swept is known again after the file was lost', async (t) => {
  const outbox = await testOutbox(t)
  const { id, proposalId, nonce } = await outbox.readyToRelease(aMail, { item: 'the-act' })
  await releaseDrafts(outbox.deps)
  const { pool } = outbox.database.owner
  await pool.query(`update draft set document = '', wire = '', summary = '{}'`) // as the sweep does
  await outbox.deps.spent.close()
  rmSync(spentFile(outbox))
  const deps = await outbox.reopenSpent()
  await recoverDrafts(deps)
  assert.deepEqual([deps.spent.find(nonce)?.act, deps.spent.find(nonce)?.draft], ['lost', id])
  await pool.query(`delete from delivery; delete from decision; delete from draft; update proposal set state = 'proposed'`) // a restored database
  await freezeProposals(deps)
  const { rows } = await pool.query('select state, refusal from proposal where id = $1', [proposalId])
  assert.equal(rows[0].state, 'refused')
  assert.match(rows[0].refusal, new RegExp(`draft ${id}`))
})

test('a recovery that finds nothing astray changes nothing', async (t) => {
  const outbox = await testOutbox(t)
  await outbox.freeze()
  const held = await outbox.readyToRelease()
  await releaseDrafts(outbox.deps)
  await outbox.readyToRelease()
  const states = async () => (await outbox.database.owner.pool.query('select id, state, reason from draft order by id')).rows
  const before = await states()
  await recoverDrafts(outbox.deps)
  assert.deepEqual(await states(), before)
  assert.equal((await outbox.draft(held.id)).state, 'released')
})
