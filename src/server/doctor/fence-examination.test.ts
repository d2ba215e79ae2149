import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { systemClock } from '../../kernel/clock.ts'
import { createDoctor } from './doctor.ts'
import { fenceExamination } from './fence-examination.ts'

test('an outbox that stands still is a failure, with why, what counts not, and the command that mends it', async (t) => {
  const database = await testDatabase(t)
  const doctor = createDoctor([fenceExamination({ database: database.as('castellan_server'), clock: systemClock })])
  assert.deepEqual(await doctor.examine(), [{ id: 'outbox', status: 'ok', what: 'what is signed leaves' }])
  await database.owner.pool.query(`insert into clearance (id, lane, upstream, url, level) values (gen_random_uuid(), 'open', 'far', 'https://far.example', 2), (gen_random_uuid(), null, 'box', 'http://10.0.0.9', 3)`)
  await database.as('castellan_releaser').pool.query(`select outbox_fence(gen_random_uuid(), '2026-03-02T09:00:00Z', 'the copy is old')`)
  assert.deepEqual(await doctor.examine(), [{
    id: 'outbox', status: 'fail', what: 'nothing leaves since 2026-03-02T09:00:00.000Z, nor does this count: 1 clearance, 1 machine of your own; the copy is old', mend: 'castellan outbox resume',
  }])
})

test('as long as no releaser has looked since PostgreSQL started, that is a failure too', async (t) => {
  const database = await testDatabase(t)
  await database.owner.pool.query('update releaser_state set compared_for = null')
  const [found] = await createDoctor([fenceExamination({ database: database.as('castellan_server'), clock: systemClock })]).examine()
  assert.deepEqual([found!.status, found!.mend], ['fail', 'castellan status'])
})
