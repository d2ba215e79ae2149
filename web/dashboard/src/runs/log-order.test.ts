import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine } from '../api/views.ts'
import { withLine } from './log-order.ts'

const line = (id: string): LogLine => ({
  id, at: '2026-11-20T06:00:00.000Z', step: 'mail', level: 'info', message: id, fields: {}, withheld: false,
  label: { level: 1, integrity: 'trusted', lanes: [], word: 'P1 low' },
})

test('lines that come twice or late, as after a broken connection, stand once and in their order', () => {
  const lines = ['9', '11', '10', '9', '2', '11'].map(line).reduce<LogLine[]>(withLine, [])
  assert.deepEqual(lines.map(({ id }) => id), ['2', '9', '10', '11'])
})
