import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { declareJobs, jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { insertOrder } from '../../../test/support/order-row.ts'
import { alertsExamination } from './alerts-examination.ts'
import { createDoctor } from './doctor.ts'

test('doctor says that alerts reach nobody, why, and what mends it, until they do', async (t) => {
  const database = await testDatabase(t)
  const outbox: { tell?: string } = {}
  const doctor = createDoctor([alertsExamination({ database: database.as('castellan_server'), house: () => ({ settings: { outbox } }) as never })])
  const found = async () => (await doctor.examine()).map(({ status, what, mend }) => `${status} ${/nobody: (.*);/.exec(what)?.[1] ?? what}${mend ? ` | ${mend}` : ''}`)
  assert.deepEqual(await found(), ['warn no job is started by them | castellan job list'])
  await declareJobs(database.owner, [jobDefinition({ name: 'watch', alerts: true, steps: [stepDefinition('tell', { uses: 'outbox.tell' })] })])
  assert.deepEqual(await found(), ['warn castellan.yaml names no way to you | castellan config explain outbox.tell'])
  outbox.tell = 'me'
  assert.deepEqual(await found(), ['warn no standing order lets messages by me leave | castellan order propose alerts --kind telegram.message --connector me --per-day 50 --level P1'])
  await insertOrder(database.owner, { connector: 'me', perDay: 1, used: 1 })
  assert.deepEqual(await found(), ['warn the standing order for messages by me is used up for today | castellan order list'])
  await insertOrder(database.owner, { connector: 'me', perDay: 1 })
  assert.deepEqual(await found(), ['ok security alerts reach you'])
  await database.owner.pool.query('update job set paused = true')
  assert.deepEqual(await found(), ['warn the job that tells of them is paused | castellan job list'])
})
