import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobLogLine } from '../kernel/job-log.ts'
import { lanesByName, type Level } from '../labels/index.ts'
import type { Claim } from '../runs/index.ts'
import { createStepLog } from './step-log.ts'

const lanes = lanesByName([{ name: 'work', worker: 'open', cloudClearance: 1, providers: [] }])
const said = [{ at: '2026-03-02T09:00:00.000Z', level: 'info', message: 'said', fields: { n: 1 } }] as const

function written(worker: 'open' | 'private', level: Level): JobLogLine[] {
  const lines: JobLogLine[] = []
  const log = createStepLog({ worker, lanes: () => lanes, jobLog: { write: (_job, more) => void lines.push(...more) } })
  log({ job: 'job', run: 'r' } as Claim, { step: 's', state: 'succeeded', label: { level, integrity: 'untrusted', lanes: ['work'] } }, said)
  return lines
}

test('a line says of which job, run and step it is, and how secret', () => {
  assert.deepEqual(written('private', 2), [{ at: said[0].at, level: 'info', job: 'job', run: 'r', step: 's', label: 'P2 internal', message: 'said', fields: { n: 1 } }])
})

test('the open worker keeps nothing in its files that it could not read in the ledger', () => {
  assert.equal(written('open', 1).length, 1)
  assert.deepEqual(written('open', 2), [])
})
