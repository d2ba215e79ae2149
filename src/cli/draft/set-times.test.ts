import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import canonicalize from 'canonicalize'
import { sampleDraft, stubHouse, type StubRoutes } from '../../../test/support/cli.ts'
import { createIdentity, type DraftDocument } from '../../outbox/index.ts'
import { readTimes } from './set-times.ts'

const here = { now: new Date('2026-03-28T20:00:00.000Z'), timezone: 'Europe/Berlin' }

test('a time of the clock is that of the house, and every two hours is two hours of real time, through the change of clocks', async () => {
  assert.deepEqual(await readTimes({ at: '2026-12-01T09:00' }, 2, here), ['2026-12-01T08:00:00.000Z', '2026-12-01T08:00:00.000Z'])
  assert.deepEqual(await readTimes({ at: '16:00' }, 1, here), ['2026-03-29T14:00:00.000Z'])
  assert.deepEqual(await readTimes({ at: 'now' }, 1, here), [null])
  assert.deepEqual(await readTimes({}, 2, here), [undefined, undefined])
  // 23:00, 01:00, 04:00 and 06:00 as the clock shows it
  assert.deepEqual(await readTimes({ every: '2h', from: '2026-03-28T23:00' }, 4, here), ['2026-03-28T22:00:00.000Z', '2026-03-29T00:00:00.000Z', '2026-03-29T02:00:00.000Z', '2026-03-29T04:00:00.000Z'])
  assert.deepEqual(await readTimes({ every: '2h' }, 3, here), [null, '2026-03-28T22:00:00.000Z', '2026-03-29T00:00:00.000Z'])
})

test('options that do not go together, and what is no time, are questions of usage', async () => {
  for (const wrong of [{ at: '2h', every: '2h' }, { from: '16:00' }, { at: 'soon' }, { at: 'none' }, { every: '0s' }, { at: '2026-02-30T09:00' }]) await assert.rejects(readTimes(wrong, 1, here), { kind: 'invalid' }, JSON.stringify(wrong))
})

/** A releaser that puts the time into the document, and whatever `change` says besides. */
async function house(t: TestContext, change: (document: DraftDocument) => object = () => ({})) {
  const draft = await sampleDraft()
  const document = JSON.parse(draft.document) as DraftDocument
  const id = randomUUID()
  const routes: StubRoutes = {
    [`GET /drafts/${draft.id}`]: { data: draft },
    [`POST /drafts/${id}/decide`]: { data: { outcome: 'decided', state: 'held', holdUntil: '2099-12-01T08:00:00.000Z' } },
    [`POST /drafts/${draft.id}/schedule`]: {
      data: { ...draft, id, document: canonicalize({ ...document, id, nonce: createHash('sha256').update(id).digest('hex'), replaces: draft.id, not_before: '2099-12-01T08:00:00.000Z', ...change(document) }) },
    },
  }
  const stub = await stubHouse(t, { releaser: routes })
  await createIdentity(join(stub.home, 'operator'), { name: 'demonstration', scope: 'demonstration' })
  return { ...stub, id, draft }
}

test('the time goes into a new draft, which is looked at and signed in the place of the old', async (t) => {
  const { run, asked, draft, id } = await house(t)
  const { exit, stdout, stderr } = await run(['draft', 'approve', draft.id, '--at', '2099-12-01T08:00:00Z', '--yes'])
  assert.equal(exit, 0, stderr)
  assert.deepEqual(asked.filter(({ route }) => route.startsWith('POST')).map(({ route }) => route), [`POST /drafts/${draft.id}/schedule`, `POST /drafts/${id}/decide`])
  assert.match(stdout, new RegExp(`draft ${id.slice(-8)} is held`))
})

test('a releaser that changes more than the time gets no signature', async (t) => {
  for (const change of [() => ({ title: 'Other' }), () => ({ not_before: null }), ({ recipients }: DraftDocument) => ({ recipients: { ...recipients, to: ['mallory@example.org'] } }), () => ({ replaces: null })]) {
    const { run, asked, draft } = await house(t, change)
    const { exit, stderr } = await run(['draft', 'approve', draft.id, '--at', '2099-12-01T08:00:00Z', '--yes'])
    assert.equal(exit, 4, stderr)
    assert(!asked.some(({ route }) => route.endsWith('/decide')), stderr)
  }
})

test('a dry run sets no time', async (t) => {
  const { run, asked, draft } = await house(t)
  const { stdout } = await run(['draft', 'approve', draft.id, '--at', '2099-12-01T08:00:00Z', '--dry-run'])
  assert.match(stdout, /it leaves at 2099-12-01 .* \(2099-12-01T08:00:00\.000Z\), and not before/)
  assert(!asked.some(({ route }) => route.startsWith('POST')))
})
