import assert from 'node:assert/strict'
import { test } from 'node:test'
import { threadOfAnswer } from './thread.ts'

const id = (n: number) => `<${n}@x>`

test('an answer names the message that it answers, at the end of the chain that it stands in', () => {
  assert.deepEqual(threadOfAnswer({ messageId: id(3), inReplyTo: id(2), references: [id(1), id(2)] }), { inReplyTo: id(3), references: [id(1), id(2), id(3)] })
  assert.deepEqual(threadOfAnswer({ messageId: id(3), inReplyTo: id(2), references: [] }), { inReplyTo: id(3), references: [id(2), id(3)] })
  assert.deepEqual(threadOfAnswer({ messageId: id(1), inReplyTo: null, references: [] }), { inReplyTo: id(1), references: [id(1)] })
  assert.deepEqual(threadOfAnswer({ messageId: null, inReplyTo: id(2), references: [id(1)] }), { inReplyTo: null, references: [] })
})

test('of a long chain the first and the last are kept', () => {
  const references = Array.from({ length: 50 }, (_, n) => id(n))
  const { references: kept } = threadOfAnswer({ messageId: id(50), inReplyTo: id(49), references })
  assert.equal(kept.length, 20)
  assert.deepEqual([kept[0], kept[1], kept.at(-2), kept.at(-1)], [id(0), id(32), id(49), id(50)])
})

test('what is no name of a message is left out, and each name stands once', () => {
  const odd = ['<a b@x>', 'c@x', '<d@x> <e@x>', '<f\r\nBcc: y@x>', '<ü@x>', `<${'g'.repeat(600)}@x>`, '<>']
  assert.deepEqual(threadOfAnswer({ messageId: id(3), inReplyTo: null, references: [id(1), ...odd, id(1), id(3)] }).references, [id(1), id(3)])
  for (const messageId of odd) assert.deepEqual(threadOfAnswer({ messageId, inReplyTo: null, references: [] }), { inReplyTo: null, references: [] })
})
