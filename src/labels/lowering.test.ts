import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as labels from './index.ts'
import { covers, type Label } from './label.ts'
import { arbitraryLabel } from './labels.arbitrary.ts'
import { mayLeave, redacted, type RedactionRecord, type SignedAct } from './lowering.ts'

const record: RedactionRecord = { id: 'r1', redactor: 'rules/1', inputHash: 'a'.repeat(64), outputHash: 'b'.repeat(64) }
const act: SignedAct = {
  keyId: 'k1', method: 'passkey', signature: new Uint8Array([1]), documentHash: 'c'.repeat(64),
  label: { level: 3, integrity: 'untrusted', lanes: ['private'] }, recipients: ['ines@museum.example'],
}

test('a redaction lowers by one level and nothing else, and never from P3', () => {
  fc.assert(fc.property(arbitraryLabel, (label) => {
    if (label.level === 3) return assert.throws(() => redacted(label, record), { code: 'label.local_only' })
    assert.deepEqual(redacted(label, record), { ...label, level: Math.max(0, label.level - 1) })
  }))
})

test('a redaction that left no record, or changed nothing, lowers nothing', () => {
  const label: Label = { level: 2, integrity: 'trusted', lanes: ['private'] }
  for (const broken of [{ id: '' }, { redactor: '' }, { inputHash: 'x' }, { outputHash: '' }, { outputHash: record.inputHash }]) {
    assert.throws(() => redacted(label, { ...record, ...broken }), { code: 'label.redaction_record' })
  }
})

test('of everything that labels export, only a redaction gives a lower label than it was given', () => {
  const functions = Object.entries(labels).filter(([, value]) => typeof value === 'function').map(([name]) => name)
  const makers = ['join', 'inLane', 'fromRow', 'toRow', 'redacted']
  const others = ['covers', 'isLevel', 'describeLabel', 'describeLevel', 'parseLevel', 'cloudClearance', 'lanesByName', 'mayExecute', 'mayRedact', 'maySee',
    'gateOf', 'providerClearance', 'queueOf', 'reachable', 'zoneClearance', 'mayLeave', 'detect', 'findings', 'findSecrets', 'createTextRedactor', 'leftIn', 'classify', 'createDictionary', 'createScanner', 'policyOf', 'asIsPolicyOf']
  assert.deepEqual(functions.sort(), [...makers, ...others].sort(), 'a new function: say here whether it can lower a label')
  fc.assert(fc.property(arbitraryLabel, arbitraryLabel, (a, b) => {
    assert.ok(covers(labels.join(a, b), a))
    assert.ok(covers(labels.inLane(a), a))
    assert.ok(covers(labels.fromRow(labels.toRow(a)), a))
  }))
})

test('P0 leaves by itself; above it only with a signed act that showed the label and named every recipient', () => {
  const p2: Label = { level: 2, integrity: 'untrusted', lanes: ['private'] }
  assert.ok(mayLeave({ ...p2, level: 0 }, ['anyone@example.example']))
  assert.ok(!mayLeave(p2, act.recipients))
  assert.ok(mayLeave(p2, act.recipients, act))
  assert.ok(!mayLeave(p2, ['ines@museum.example', 'else@museum.example'], act))
  assert.ok(!mayLeave(p2, act.recipients, { ...act, label: { ...act.label, level: 1 } }))
  assert.ok(!mayLeave({ ...p2, lanes: ['contract', 'private'] }, act.recipients, act))
  assert.ok(!mayLeave(p2, act.recipients, { ...act, signature: new Uint8Array() }))
})

test('P3 leaves only by a passkey, to recipients who are named', () => {
  const p3: Label = { level: 3, integrity: 'untrusted', lanes: ['private'] }
  assert.ok(mayLeave(p3, act.recipients, act))
  assert.ok(!mayLeave(p3, act.recipients, { ...act, method: 'ed25519' }))
  assert.ok(!mayLeave(p3, [], act))
})
