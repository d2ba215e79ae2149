import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type FaultKind } from '../kernel/fault.ts'
import { suspicionOf } from './suspicion.ts'

test('a refusal says by its code what it is a sign of', () => {
  const expected = {
    'signin.refused': 'signin.failed', session_unknown: 'signin.failed', key_in_address: 'signin.failed',
    'host.unknown': 'page.stranger', 'origin.foreign': 'page.stranger',
    'shell.not_allowed': 'command.refused', 'sandbox.folder': 'command.refused', 'sandbox.unsafe': 'sandbox.unsafe',
    label_refused: 'label.refused', 'nonce.spent': 'nonce.replayed', 'draft.released_before': 'nonce.replayed',
    'draft.signature': 'signature.failed', 'draft.altered': 'signature.failed', 'passkey.assertion': 'signature.failed',
  }
  for (const [code, kind] of Object.entries(expected)) assert.equal(suspicionOf(new Fault('refused', code, 'no')), kind, code)
})

test('mistakes and weather are signs of nothing, and neither is what is not expected of an attacker', () => {
  for (const kind of ['invalid', 'missing', 'unavailable', 'timeout', 'internal'] satisfies FaultKind[]) assert.equal(suspicionOf(new Fault(kind, 'shell.argv', 'no')), undefined, kind)
  for (const code of ['draft.expired', 'draft.too_late', 'budget_exceeded', 'session.over', 'connector.not_sent']) assert.equal(suspicionOf(new Fault('refused', code, 'no')), undefined, code)
  assert.equal(suspicionOf(new Error('broken')), undefined)
  assert.equal(suspicionOf(undefined), undefined)
})

test('a connector says by a detail that it was led elsewhere, and a sealer by its conflict that the chain is not whole', () => {
  assert.equal(suspicionOf(new Fault('refused', 'connector.not_sent', 'no', { suspicion: 'redirect' })), 'outbound.unexpected')
  assert.equal(suspicionOf(new Fault('conflict', 'audit.head_mismatch', 'no')), 'audit.broken')
})
