import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckedDraft } from '../keys/check-draft.ts'
import type { DraftState, DraftSummary } from '../releaser/answers.ts'
import { batchOf, beginning, nextWaiting, obstacleTo, reduce, rowsOf, undoable, type Opened, type Triage, type TriageEvent } from './triage-state.ts'

const now = Date.parse('2026-11-20T08:00:00.000Z')
const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString()

function draft(id: string, other: Partial<DraftSummary> = {}): DraftSummary {
  return {
    id, state: 'waiting', reason: null, kind: 'mail', connector: 'file', account: 'a', title: id, from: 'h@example.org', recipients: { to: ['e@example.org'], cc: [], bcc: [] },
    attachments: [], risk: 3, high_risk: false, reasons: [], label: { level: 2, word: 'P2 internal', text: 'P2 internal', integrity: 'trusted', lanes: [] },
    replaces: null, frozen_at: at(-10), expires_at: at(60 + id.charCodeAt(0)), hold_until: null, not_before: null, closed_at: null, snoozed_until: null, session_may_sign: true, problem: null, ...other,
  }
}

const play = (events: readonly TriageEvent[], from: Triage = beginning) => events.reduce(reduce, from)
const list = (...drafts: DraftSummary[]): TriageEvent => ({ type: 'listed', drafts, ended: [], now })
const ids = (state: Triage) => rowsOf(state).map(({ id }) => id)
const [a, b, c] = [draft('a'), draft('b'), draft('c')]

test('what asks stands first, then what is due first', () => {
  const state = play([list(c, draft('u', { state: 'unknown' }), a, draft('b', { expires_at: at(1) }))])
  assert.deepEqual(ids(state), ['u', 'b', 'a', 'c'])
  assert.equal(state.cursor, 'u')
})

test('j and k stop at the ends', () => {
  const state = play([list(a, b, c), { type: 'moved', by: 1 }, { type: 'moved', by: 5 }])
  assert.equal(state.cursor, 'c')
  assert.equal(play([{ type: 'moved', by: Number.NEGATIVE_INFINITY }], state).cursor, 'a')
})

test('an approved draft stays in its place while it is held, and the next one comes under the cursor', () => {
  const state = play([list(a, b, c), { type: 'act', id: 'a', act: { doing: 'signing' } }])
  assert.equal(nextWaiting(state, 'a'), 'b')
  const held = play([{ type: 'decided', id: 'a', state: 'held', holdUntil: at(1), now }], state)
  assert.deepEqual(rowsOf(held).map(({ id, state }) => [id, state]), [['a', 'held'], ['b', 'waiting'], ['c', 'waiting']])
  assert.deepEqual(held.acts, {})
})

test('of the last one, the next is one before it that still waits', () => {
  const state = play([list(a, draft('b', { state: 'held' }), c)])
  assert.equal(nextWaiting(state, 'c'), 'a')
  assert.equal(nextWaiting(play([list(a)]), 'a'), undefined)
})

test('a row that leaves takes the cursor to its neighbour', () => {
  const state = play([list(a, b, c), { type: 'pointed', id: 'b' }, list(a, c)])
  assert.equal(state.cursor, 'c')
})

test('what comes under the cursor by itself is not approved by a key that was meant for another, until it has been there for a moment', () => {
  const opened = [a, b, c].map(({ id }): TriageEvent => ({ type: 'opened', id, opened: { at: 'ready', check: { ok: true, draft: { id, hash: id } as CheckedDraft } } as Opened }))
  const state = play([list(a, b, c), ...opened])
  const why = (events: readonly TriageEvent[]) => {
    const after = play(events, state)
    return obstacleTo(after, after.cursor!, now)
  }
  assert.equal(why([]), undefined)
  for (const moves of [[{ type: 'pointed', id: 'b', byItself: true }], [list(b, c)]] satisfies TriageEvent[][]) {
    assert.match(why(moves)!, /only just come up/)
    assert.equal(why([...moves, { type: 'arrived', id: 'b' }]), undefined)
    assert.match(why([...moves, { type: 'arrived', id: 'a' }])!, /only just come up/)
    assert.equal(why([...moves, { type: 'moved', by: 1 }]), undefined, 'who goes there by himself aims')
    assert.equal(why([...moves, { type: 'pointed', id: 'c' }]), undefined)
  }
})

test('an end stays a moment, a failure until it is dismissed', () => {
  const ended = (state: DraftState) => play([list(a, b), { type: 'listed', drafts: [a], ended: [draft('b', { state })], now }, { type: 'tick', now: now + 5_000 }])
  assert.deepEqual(ids(ended('released')), ['a'])
  assert.deepEqual(ids(ended('failed')), ['a', 'b'])
  assert.deepEqual(ids(play([{ type: 'dismissed', id: 'b' }], ended('failed'))), ['a'])
})

test('what was edited or taken back makes place for its successor at once, unless somebody looks at it', () => {
  const swapped = (point?: string) => play([list(a, b), { type: 'listed', drafts: [draft('a2', { replaces: 'a' }), b], ended: [draft('a', { state: 'replaced' })], now, point }])
  assert.deepEqual([ids(swapped('a2')), swapped('a2').cursor], [['a2', 'b'], 'a2'])
  assert.deepEqual([ids(swapped()), swapped().cursor], [['a', 'a2', 'b'], 'a'])
})

test('a snoozed draft is in its own list until its time', () => {
  const state = play([list(a, draft('b', { snoozed_until: at(30) }))])
  assert.deepEqual([ids(state), ids({ ...state, view: 'snoozed' })], [['a'], ['b']])
  assert.deepEqual(ids(play([{ type: 'tick', now: now + 31 * 60_000 }], state)), ['a', 'b'])
})

test('a batch is exactly what was selected, without what is high in risk, local only, over or decided', () => {
  const drafts = [
    a, b, draft('h', { risk: 7, high_risk: true, session_may_sign: false }), draft('l', { session_may_sign: false, label: { ...a.label, level: 3, word: 'P3 local only' } }),
    draft('o', { expires_at: at(-1) }), draft('n'),
  ]
  const state = play([list(...drafts), ...['a', 'b', 'h', 'l', 'o'].map((id): TriageEvent => ({ type: 'selected', id }))])
  const { signs, leaves } = batchOf(state)
  assert.deepEqual(signs.map(({ id }) => id), ['a', 'b'])
  assert.deepEqual(leaves.map(({ draft, why }) => [draft.id, why]), [
    ['o', 'its time is over'], ['h', 'risk 7: takes the passkey, by itself'], ['l', 'P3 local only: takes the passkey, by itself'],
  ])
})

test('what is decided elsewhere is no longer selected', () => {
  const state = play([list(a, b), { type: 'selected', id: 'a' }, { type: 'selected', id: 'b' }, list(draft('a', { state: 'held' }), b)])
  assert.deepEqual(state.selected, ['b'])
})

test('undo takes the held draft under the cursor, or else the one that was approved last', () => {
  const state = play([list(draft('a', { state: 'held', hold_until: at(1) }), draft('b', { state: 'held', hold_until: at(2) }), c)])
  assert.equal(undoable({ ...state, cursor: 'a' })?.id, 'a')
  assert.equal(undoable({ ...state, cursor: 'c' })?.id, 'b')
  assert.equal(undoable(play([list(c)])), undefined)
})

test('undo takes what was just approved, though another draft is held for longer because its server was busy', () => {
  const busy = draft('a', { state: 'held', hold_until: at(10), reason: 'not sent yet, tried again at noon' })
  const state = play([list(busy, draft('b', { state: 'held', hold_until: at(0.1) }), c), { type: 'pointed', id: 'c' }])
  assert.equal(undoable(state)!.id, 'b')
  assert.equal(undoable(play([list(busy, c)], state))!.id, 'a')
})

test('how something failed is told until the draft goes on all the same', () => {
  const failed = play([list(a, b), { type: 'act', id: 'a', act: { failed: 'no answer' } }, list(a, b)])
  assert.deepEqual(failed.acts, { a: { failed: 'no answer' } })
  assert.deepEqual(play([list(draft('a', { state: 'held' }), b)], failed).acts, {})
})

test('a draft whose hash changes while it is shown keeps what was shown, until it is seen', () => {
  const shown = (hash: string): TriageEvent => ({ type: 'opened', id: 'a', opened: { at: 'ready', check: { ok: true, draft: { id: 'a', hash } as CheckedDraft } } })
  const before = (state: Triage) => (state.opened['a']?.at === 'ready' ? state.opened['a'].before?.hash : 'not ready')
  const swapped = play([list(a), shown('one'), shown('two')])
  assert.equal(before(play([list(a), shown('one'), shown('one')])), undefined)
  assert.equal(before(swapped), 'one')
  assert.equal(before(play([shown('two')], swapped)), 'one')
  assert.equal(before(play([{ type: 'seen', id: 'a' }], swapped)), undefined)
})

test('a list that cannot be read leaves what is there, and says that nothing can be decided', async () => {
  const { Refusal } = await import('../releaser/call.ts')
  const state = play([list(a, b), { type: 'list-failed', problem: new Refusal('offline', 'no answer') }])
  assert.deepEqual([ids(state), state.online], [['a', 'b'], false])
  assert.equal(play([list(a)], state).online, true)
})
