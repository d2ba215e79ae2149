import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeClearance } from '../../../../src/outbox/clearances/clearance-act.ts'
import type { Bytes } from './bytes.ts'
import { readClearance } from './read-clearance.ts'

const wires = await Promise.all([
  composeClearance('lane.clear', { lane: 'client', upstream: 'far', url: 'https://far.example/v1', level: 2, expires_at: '2099-01-01T00:00:00.000Z', shown: { sources: ['mailbox work'], jobs: ['brief'] } }),
  composeClearance('model.own', { upstream: 'box', url: 'http://10.0.0.9:11434', level: 3, expires_at: null, shown: { lanes: [] } }),
])
const bytesOf = (text: string) => new TextEncoder().encode(text) as Bytes

test('the page makes of the bytes of a clearance the words that the releaser makes of them', () => {
  for (const { wire, title, text } of wires) {
    const read = readClearance(bytesOf(wire.toString()))
    assert.deepEqual([read?.title, read?.text], [title, text])
  }
})

test('bytes that say more, less or otherwise than a clearance are none', () => {
  const text = wires[0]!.wire.toString()
  for (const altered of [
    text.replace('"level":2', '"level":3'), text.replace('{', '{ '), text.replace('"lane":"client",', ''), text.replace('"version"', '"more":1,"version"'), text.replace('"far"', '["far"]'),
    text.replace('castellan-clearance/1', 'castellan-clearance/2'), text.replace('lane.clear', 'model.own'), 'null', '{}', '',
  ]) {
    assert.equal(readClearance(bytesOf(altered)), undefined, altered)
  }
})
