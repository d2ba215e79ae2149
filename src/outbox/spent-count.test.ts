import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { testOutbox } from '../../test/support/outbox.ts'
import type { Database } from '../kernel/database/connect.ts'
import { createFileConnector } from './connectors/file.ts'
import { spentCount } from './draft-store.ts'
import { recoverDrafts } from './recover-drafts.ts'
import { releaseDrafts } from './release-drafts.ts'
import { undoDraft } from './undo-draft.ts'

test('of two releases side by side the database keeps the higher count, whichever is recorded last', async (t) => {
  const outbox = await testOutbox(t, {
    connectors: (path) => ['file', 'other'].map((name) => createFileConnector({ name, path: join(path, name), from: 'haus@example.org' })),
  })
  await outbox.readyToRelease()
  await outbox.readyToRelease(undefined, { connector: 'other' })
  const second = Promise.withResolvers<void>()
  let recorded = 0
  const { pool } = outbox.deps.database
  const query = async (text: string, ...rest: unknown[]): Promise<unknown> => {
    const isCount = text.includes('update releaser_state')
    const isFirst = isCount && (recorded += 1) === 1
    if (isFirst) await second.promise
    const answer: unknown = await Reflect.apply(pool.query, pool, [text, ...rest])
    if (isCount && !isFirst) second.resolve()
    return answer
  }
  const database: Database = {
    ...outbox.deps.database,
    pool: new Proxy(pool, { get: (target, name) => (name === 'query' ? query : Reflect.get(target, name)) as unknown }),
  }
  assert.equal((await releaseDrafts({ ...outbox.deps, database })).released, 2)
  assert.deepEqual([recorded, await spentCount(pool)], [2, 2])
})

test('a crash while what a lost file held is spent again leaves nothing in flight that could leave twice', async (t) => {
  const outbox = await testOutbox(t)
  const path = join(outbox.folder, 'spent-nonces.jsonl')
  await outbox.readyToRelease()
  await releaseDrafts(outbox.deps)
  const held = await outbox.readyToRelease()
  await outbox.deps.spent.close()
  rmSync(path)
  let torn: Uint8Array = Buffer.alloc(0)
  const dying = await outbox.reopenSpent({
    append: async (_file, lines) => {
      torn = lines.subarray(0, lines.indexOf('\n') + 10)
      throw new Error('the power went')
    },
  })
  await assert.rejects(recoverDrafts(dying))
  await dying.spent.close()
  // the first line and a piece of the second had reached the disk
  writeFileSync(path, torn)
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 2)
  const deps = await outbox.reopenSpent()
  await recoverDrafts(deps)
  assert.equal((await releaseDrafts(deps)).released, 0)
  assert.equal((await outbox.draft(held.id)).state, 'unknown')
  assert.equal(await spentCount(deps.database.pool), deps.spent.count)
})

test('what waits again after its approval was taken back can be signed though the file was lost: it certainly never left', async (t) => {
  const outbox = await testOutbox(t)
  await outbox.readyToRelease()
  await releaseDrafts(outbox.deps)
  const { id, nonce } = await outbox.freeze()
  await outbox.approve(id)
  const undone = await undoDraft(outbox.deps, id)
  assert(undone.outcome === 'undone')
  await outbox.deps.spent.close()
  rmSync(join(outbox.folder, 'spent-nonces.jsonl'))
  const deps = await outbox.reopenSpent()
  await recoverDrafts(deps)
  assert.equal(deps.spent.find(nonce)?.act, 'undo')
  assert.equal((await outbox.draft(undone.draft)).state, 'waiting')
  await outbox.approve(undone.draft)
  outbox.clock.advance(outbox.settings.holdMs)
  assert.equal((await releaseDrafts(deps)).released, 1)
})
