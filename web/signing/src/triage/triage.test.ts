import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { DraftDetail } from '../releaser/answers.ts'
import type { Client } from '../releaser/client.ts'
import { createTriage } from './triage.ts'

const wire = Buffer.from('From: h@example.org\r\nContent-Transfer-Encoding: 7bit\r\n\r\nUntil Monday.\r\n')

function draft(id: string): DraftDetail {
  const document = {
    version: 'castellan/1', id, kind: 'mail', title: id, from: 'h@example.org', recipients: { to: ['e@example.org'], cc: [], bcc: [] }, attachments: [], risk: 3,
    wire: { sha256: createHash('sha256').update(wire).digest('hex'), length: wire.length }, label: { level: 1, integrity: 'trusted', lanes: [] }, expires_at: `2099-01-0${id}T08:00:00.000Z`,
  }
  return { ...document, state: 'waiting', problem: null, hold_until: null, snoozed_until: null, document: JSON.stringify(document), wire: wire.toString('base64') } as unknown as DraftDetail
}

/** Three drafts that wait, the first one on the screen and the next ones fetched ahead. */
async function desk() {
  const drafts = ['1', '2', '3'].map(draft)
  const approved: string[] = []
  const client = {
    list: async () => drafts.filter(({ id }) => !approved.includes(id)),
    draft: async (id: string) => drafts.find((one) => one.id === id)!,
    approve: async (id: string) => (approved.push(id), { outcome: 'decided', state: 'held', hold_until: '2099-01-01T08:00:10.000Z' }),
  } as unknown as Client
  const triage = createTriage({ client, sign: async () => ({ key_id: 'session:1', signature: '' }) }, 0)
  await triage.refresh()
  for (const { id } of drafts) await triage.open(id)
  return { triage, approved, drafts, cursor: () => triage.store.get().cursor! }
}

test('a key that is pressed twice by mistake signs one draft, and not the next one before anybody can have read it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { triage, approved, cursor } = await desk()
  const [first, second] = [triage.approve(cursor(), true), triage.approve(cursor(), true)]
  await Promise.all([first, second])
  assert.deepEqual([approved, cursor()], [['1'], '2'])
  assert.match(triage.notice.get()!.text, /only just come up/)
  t.mock.timers.tick(400)
  await triage.approve(cursor(), true)
  assert.deepEqual(approved, ['1', '2'])
})

test('who goes to a draft by himself approves it at once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { triage, approved, cursor } = await desk()
  await triage.approve(cursor(), true)
  triage.dispatch({ type: 'moved', by: 1 })
  await triage.approve(cursor(), true)
  assert.deepEqual(approved, ['1', '3'])
})

test('a draft that takes the place of one that went away under the cursor is looked at first, too', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { triage, approved, drafts, cursor } = await desk()
  triage.dispatch({ type: 'listed', drafts: drafts.slice(1), ended: [], now: 0 })
  assert.equal(cursor(), '2')
  await triage.approve(cursor(), true)
  assert.deepEqual(approved, [])
  t.mock.timers.tick(400)
  await triage.approve(cursor(), true)
  assert.deepEqual(approved, ['2'])
})
