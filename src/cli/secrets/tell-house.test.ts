import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openRecords, openSecretFolder, type SecretAct } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { recordActs } from './tell-house.ts'

test('the act that is about to be done reaches the audit behind however many others wait', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'castellan-acts-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const records = openRecords(openSecretFolder(home))
  for (let count = 0; count < 250; count += 1) records.note('render', 'token', new Date(0))
  records.note('rotate', 'token', new Date(1))
  const asked: number[] = []
  const post = async (_path: string, { acts }: { acts: SecretAct[] }) => (asked.push(acts.length), { ids: acts.map(({ id }) => id) })
  await recordActs({ server: async () => ({ post }) } as unknown as Pick<Invocation, 'server'>, records)
  assert.deepEqual([asked, records.unrecorded()], [[200, 51], []])
  // a server that takes none of them is asked once
  records.note('undo', 'token', new Date(2))
  await recordActs({ server: async () => ({ post: async () => ({ ids: [] }) }) } as unknown as Pick<Invocation, 'server'>, records)
  assert.equal(records.unrecorded().length, 1)
})
