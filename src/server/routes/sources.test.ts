import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testServer } from '../../../test/support/server.ts'
import { httpSource } from '../../../test/support/sources.ts'
import type { SourcesView } from '../api.ts'

test('sources are listed with their label and their state, and never with what they say', async (t) => {
  const server = await testServer(t, [], { sources: [httpSource('leads', 'https://api.example.org/'), httpSource('deals', 'https://api.example.org/')] })
  await server.database.owner.pool.query(
    `insert into source_snapshot (source, params_key, params, fetch_id, fetched_at, media, body) values ('leads', sha256('{}'), '{}', gen_random_uuid(), $1, 'application/json', '"a private word"')`, [server.clock.now()],
  )
  const { data, error } = await server.get<SourcesView>('/api/sources')
  assert.ok(data, error?.message)
  assert.deepEqual([data.reading, data.sources.map(({ name, state, label }) => [name, state, label.word])], [false, [['leads', 'fresh', 'P2 internal'], ['deals', 'never', 'P2 internal']]])
  assert.ok(!JSON.stringify(data).includes('private word'))
})
