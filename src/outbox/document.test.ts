import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { isCanonical } from './canonical.ts'
import { addressesOf, challengeOf, readDocument, writeDocument, type DraftDocument } from './document.ts'

const document: DraftDocument = {
  version: 'castellan/1', id: '019514a0-0000-7000-8000-000000000001', nonce: 'ab'.repeat(32), kind: 'mail', connector: { name: 'file', kind: 'file' },
  account: '/outbox', title: 'Grüße', from: 'haus@example.org', recipients: { to: ['Eva <Eva@example.org>'], cc: ['eva@example.org'], bcc: ['max@example.org'] },
  wire: { sha256: '00'.repeat(32), length: 3 }, attachments: [], rollback: 'none', risk: 3, reasons: ['+2'], label: { level: 2, integrity: 'untrusted', lanes: ['a'] },
  origin: { proposal: '019514a0-0000-7000-8000-000000000002', job: 'j', run: '019514a0-0000-7000-8000-000000000003', step: 's', item: '11'.repeat(32) },
  replaces: null, frozen_at: '2026-03-02T09:00:00.000Z', expires_at: '2026-03-02T10:00:00.000Z', not_before: null,
}

test('a document is written in one form only, whatever the order of its fields', () => {
  const text = writeDocument(document)
  assert.equal(writeDocument(Object.fromEntries(Object.entries(document).reverse()) as DraftDocument), text)
  assert.deepEqual(readDocument(text), document)
  assert(text.startsWith('{"account":"/outbox","attachments":[],"connector":{"kind":"file","name":"file"}'))
})

test('text that two readers could understand differently is no document', () => {
  const text = writeDocument(document)
  for (const altered of [
    ` ${text}`, `${text}\n`, text.replace('"risk":3', '"risk":3.0'), text.replace('"risk":3', '"risk":3,"risk":9'), text.replace('ü', '\\u00fc'),
    text.replace('{', '{"extra":1,'), text.replace('castellan/1', 'castellan/2'), text.slice(0, -1), '', 'null', '[]', '{}',
  ]) {
    assert.throws(() => readDocument(altered), { code: 'draft.document' }, altered)
  }
})

test('the challenge is the hash of the version and the document', () => {
  const text = writeDocument(document)
  assert.equal(challengeOf(text).toString('hex'), createHash('sha256').update(`castellan/1${text}`).digest('hex'))
})

test('each recipient counts once, however it is written', () => {
  assert.deepEqual(addressesOf(document.recipients), ['eva@example.org', 'max@example.org'])
})

test('what is taken for canonical is exactly what canonicalize writes', () => {
  const agrees = (text: string) => {
    const value: unknown = JSON.parse(text)
    const ours = isCanonical(value, text)
    // JavaScript puts keys that are whole numbers first: no document has one, and one that had is refused
    if (/"\d+":/.test(text)) assert(!ours || canonicalize(value) === text, text)
    else assert.equal(ours, canonicalize(value) === text, text)
  }
  for (const text of ['{"b":1,"a":2}', '{"a":1,"a":1}', '{"a": 1}', '{"a":1.0}', '{"a":1e21}', '{"a":-0}', '{"\\u0061":1}', '{"é":1,"z":2}', '{"z":1,"é":2}', '{"10":1,"9":2}', '{"9":1,"10":2}', '{"\ud83d\ude00":1,"\ufb33":2}', '{"a":[{"c":1,"b":2}]}', '"\\/"']) agrees(text)
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    agrees(canonicalize(value)!)
    agrees(JSON.stringify(value))
    agrees(JSON.stringify(value, null, 1))
  }))
})
