import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actFrame } from '../../../../test/support/attempt-delivery.ts'
import { readOutboundAct } from '../../../../src/outbox/acts/outbound-act.ts'
import { composeWebhook } from '../../../../src/outbox/compose/request.ts'
import { challengeOf, sha256, writeDocument } from '../../../../src/outbox/document.ts'
import { documentFor } from '../../../../src/outbox/connectors/connector.contract.ts'
import type { DraftDetail } from '../releaser/answers.ts'
import { checkDraft } from './check-draft.ts'

const url = 'https://hooks.example.org/house'
const composed = composeWebhook({ body: { type: 'lead.new' } }, actFrame({ from: url }), { url, adds: 'The releaser adds a signature.' })

function detailOf(wire: Buffer, changed: object = {}): DraftDetail {
  const document = writeDocument({ ...documentFor(wire), kind: 'webhook', connector: { name: 'hook', kind: 'webhook' }, account: url, from: url, ...changed })
  return { id: documentFor(wire).id, problem: null, document, wire: wire.toString('base64'), sha256: sha256(wire), challenge: challengeOf(document).toString('hex') } as unknown as DraftDetail
}

test('the page shows an act out of its bytes alone', async () => {
  const checked = await checkDraft(detailOf(composed.wire))
  assert(checked.ok)
  assert.equal(checked.draft.wire.text, composed.text)
  assert.match(composed.text, /^Notify hooks\.example\.org: POST https:\/\/hooks\.example\.org\/house\n/)
})

test('an act of another kind or account than the document says cannot be signed', async () => {
  for (const changed of [{ kind: 'http.request' }, { account: 'https://elsewhere.example' }]) assert.equal((await checkDraft(detailOf(composed.wire, changed))).ok, false)
})

test('bytes that say more or less than an act, or say it in another form, are none', () => {
  const text = composed.wire.toString()
  const others = [
    text.replace('"kind":"webhook"', '"kind":"mail"'), text.replace('castellan-act/1', 'castellan-act/2'), text.replace('"body":', '"more":1,"body":'), text.replace('"headers":[', '"headers":[1,'),
    `${text} `, text.replace('{', '{ '), text.replace('"method":"POST"', '"method":1'), text.replace('{', '{"account":"x",'), text.slice(1), '[]', 'null', '{"__proto__":1}',
  ]
  for (const other of others) {
    assert.notEqual(other, text)
    assert.equal(readOutboundAct(Buffer.from(other)), undefined, other)
  }
  assert.equal(readOutboundAct(Buffer.concat([composed.wire.subarray(0, 20), Buffer.from([0xff]), composed.wire.subarray(20)])), undefined)
})
