import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openRecords, openSecretFolder } from '../secrets/index.ts'
import { recordSecretActs } from './record-secret-acts.ts'

test('what was noted while no house ran is handed over, and not while somebody else writes what is known of secrets', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'castellan-acts-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const folder = openSecretFolder(home)
  const records = openRecords(folder)
  records.note('render', 'token', new Date(0))
  const ids = records.unrecorded().map(({ id }) => id)
  let asked = 0
  const server = createServer((_request, answer) => void (asked += 1, answer.end(JSON.stringify({ data: { ids } })))).listen(join(home, 'socket'))
  t.after(() => server.close())
  await folder.exclusively(async () => assert.rejects(recordSecretActs(home, join(home, 'socket')), { code: 'secrets.busy' }))
  assert.deepEqual([asked, records.unrecorded().length], [0, 1])
  await recordSecretActs(home, join(home, 'socket'))
  assert.deepEqual([asked, records.unrecorded()], [1, []])
})
