import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StripSlot } from '../api/views.ts'
import { markOf, tellStrip } from './strip.ts'

const slot = (state: StripSlot['state'], run_state: StripSlot['run_state'] = null): StripSlot => ({ slot: '2026-11-20T06:00:00.000Z', origin: 'schedule', state, reason: null, run: null, run_state })

test('every state of a slot has a shape of its own', () => {
  const marks = [slot('ran', 'succeeded'), slot('failed'), slot('missed'), slot('skipped'), slot('due')].map(markOf)
  assert.equal(new Set(marks.map(({ shape }) => shape)).size, marks.length)
  assert.deepEqual(marks.map(({ word }) => word), ['ran', 'failed', 'missed', 'skipped', 'open'])
})

test('a slot whose run gave up failed, and one whose run goes on is open', () => {
  assert.equal(markOf(slot('ran', 'dead')).word, 'failed')
  assert.equal(markOf(slot('due', 'parked')).word, 'open')
  assert.equal(markOf(slot('due', 'running')).word, 'open')
})

test('a strip is told in words', () => {
  assert.equal(tellStrip([]), 'No slot yet.')
  assert.equal(tellStrip([slot('ran', 'succeeded')]), 'Last 1 slot: 1 ran. The last one ran.')
  assert.equal(tellStrip([slot('ran', 'succeeded'), slot('ran', 'succeeded'), slot('missed')]), 'Last 3 slots: 2 ran, 1 missed. The last one is missed.')
})
