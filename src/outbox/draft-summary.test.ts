import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aMail, testOutbox } from '../../test/support/outbox.ts'
import type { Queryable } from './draft-store.ts'
import { readDraftList } from './draft-summary.ts'

test('a list is one query, however long it is, and does not touch the bytes', async (t) => {
  const outbox = await testOutbox(t)
  const ids: string[] = []
  for (let index = 0; index < 5; index += 1) {
    outbox.clock.advance(1)
    ids.push((await outbox.freeze({ ...aMail, subject: `mail ${index}` })).id)
  }
  await outbox.database.owner.pool.query('alter table draft rename column wire to elsewhere')
  let queries = 0
  const { pool } = outbox.deps.database
  const counted = { query: (...args: Parameters<typeof pool.query>) => ((queries += 1), pool.query(...args)) } as unknown as Queryable
  const listed = await readDraftList(counted, { states: ['waiting'], limit: 1000 }, outbox.clock.now())
  assert.deepEqual([listed.map(({ id }) => id), queries], [ids.reverse(), 1])
  assert.deepEqual(listed.map(({ title, problem, session_may_sign, snoozed_until }) => [title, problem, session_may_sign, snoozed_until])[0], ['mail 4', null, true, null])
  assert(!JSON.stringify(listed).includes('Liebe Eva'))
})
