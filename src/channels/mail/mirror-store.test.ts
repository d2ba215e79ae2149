import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { plainAccount } from '../../../test/support/mirror.ts'
import { createMirrorStore } from './mirror-store.ts'

test('a message whose first pieces the database has lost in a crash is not taken for whole', async (t) => {
  const database = await testDatabase(t)
  const store = createMirrorStore(database.as('castellan_releaser'), { ...plainAccount, port: 143 }, 'INBOX')
  await store.recordState({ state: 'mirroring', since: new Date(), problem: null })
  await store.begin({ uidvalidity: 7n, highest: 1 })
  const pieces = [Buffer.from('Subject: in pieces\r\n\r\n'), Buffer.from('the rest\r\n')]
  const bytes = Buffer.concat(pieces).length
  const messages = async () => (await database.owner.pool.query('select size from mail_message')).rows

  await store.putPiece(1, 0, pieces[0]!)
  await database.owner.pool.query('truncate mail_piece') // as PostgreSQL does with an unlogged table when it recovers
  await store.putPiece(1, 1, pieces[1]!)
  await assert.rejects(store.storePieces(1, new Date(), bytes), /pieces of it are missing/)
  assert.deepEqual(await messages(), [])

  await store.dropPieces()
  for (const [part, piece] of pieces.entries()) await store.putPiece(1, part, piece)
  assert.equal(await store.storePieces(1, new Date(), bytes), 1)
  assert.deepEqual(await messages(), [{ size: bytes }])
})
