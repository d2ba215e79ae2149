import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { createDoctor } from './doctor.ts'
import { fenceExamination } from './fence-examination.ts'

test('an outbox that stands still is a failure, with why and the command that mends it', async (t) => {
  const database = await testDatabase(t)
  const doctor = createDoctor([fenceExamination({ database: database.as('castellan_server') })])
  assert.deepEqual(await doctor.examine(), [{ id: 'outbox', status: 'ok', what: 'what is signed leaves' }])
  await database.as('castellan_releaser').pool.query(`select outbox_fence(gen_random_uuid(), '2026-03-02T09:00:00Z', 'the copy is old')`)
  assert.deepEqual(await doctor.examine(), [{ id: 'outbox', status: 'fail', what: 'nothing leaves since 2026-03-02T09:00:00.000Z: the copy is old', mend: 'castellan outbox resume' }])
})
