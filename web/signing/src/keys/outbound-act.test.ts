import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actFrame } from '../../../../test/support/attempt-delivery.ts'
import { readOutboundAct } from '../../../../src/outbox/acts/outbound-act.ts'
import { composeWebhook } from '../../../../src/outbox/compose/request.ts'
import { challengeOf, sha256, writeDocument } from '../../../../src/outbox/document.ts'
import { documentFor } from '../../../../src/outbox/connectors/connector.contract.ts'
import type { DraftDetail } from '../releaser/answers.ts'
import { composeOrder } from '../../../../src/outbox/orders/compose-order.ts'
import { checkDraft, takesPasskey } from './check-draft.ts'

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

test('a standing order is shown with all that it lets leave, in the words of the terminal, and takes the passkey', async () => {
  const house = { findConnector: () => ({ name: 'mailbox', kind: 'imap', account: 'sample (me@mail.example)', accepts: () => true, undo: () => {} }) as never, declared: [], timezone: 'Europe/Berlin' }
  const order = { name: 'news', kind: 'mail.move', connector: 'mailbox', from: 'INBOX', to: 'News', senders: ['News@Shop.example'], per_day: 50, expires_at: '2026-03-31T00:00:00.000Z' }
  const { wire, text, title } = composeOrder(order, actFrame({ from: 'this house' }), house)
  const checked = await checkDraft(detailOf(wire, { kind: 'order.stand', connector: { name: 'castellan.orders', kind: 'order' }, account: 'this house', from: 'this house', title, risk: 8 }))
  assert(checked.ok)
  assert.equal(checked.draft.wire.text, text)
  assert.equal(takesPasskey(checked.draft.document), true)
  for (const words of ['as the order news', 'Move messages from INBOX to News', '  news@shop.example', 'At most: 50 a day, counted from midnight in Europe/Berlin', 'Up to: P2 internal', 'Until: 2026-03-31', 'castellan order revoke news']) assert(text.includes(words), words)
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
