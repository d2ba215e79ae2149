import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSealingKey } from './sealing-key.ts'

test('a sealing key that is provided as a secret is used as it is, and none is made beside it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-sealing-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const [first, second] = [await openSealingKey(folder, pem), await openSealingKey(folder, pem.trim())]
  assert.equal(first.id, second.id)
  assert.deepEqual(readdirSync(folder), [])
  assert.notEqual((await openSealingKey(folder)).id, first.id)
})
