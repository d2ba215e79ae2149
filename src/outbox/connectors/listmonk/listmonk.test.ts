import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { actFrame, composedBy, failedDelivery } from '../../../../test/support/attempt-delivery.ts'
import { startCuttingProxy } from '../../../../test/support/cutting-proxy.ts'
import type { HttpMisbehaviour } from '../../../../test/support/http-receiver.ts'
import { listmonkToken, listmonkUser, startListmonkApi } from '../../../../test/support/listmonk-api.ts'
import { testOutbox, untrustedInternal } from '../../../../test/support/outbox.ts'
import { Fault } from '../../../kernel/fault.ts'
import { readOutboundAct, wordsOfAct } from '../../acts/outbound-act.ts'
import { readDocument } from '../../document.ts'
import { releaseDrafts } from '../../release-drafts.ts'
import { sessionMaySign } from '../../risk.ts'
import { takeBack } from '../../take-back.ts'
import { alone, connectorContract, documentFor } from '../connector.contract.ts'
import { createConnectors } from '../connectors.ts'
import { createListmonkConnector, type ListmonkOptions } from './listmonk.ts'

const letter = { subject: 'Neues im März', lists: ['Readers'], text: 'Hallo **alle**.\n\n[Abmelden]({{ UnsubscribeURL }})' }
const { signal } = new AbortController()
const commit = async () => {}
const open = { level: 0, integrity: 'trusted', lanes: [] } as const

function connectorTo(url: string, options: Partial<ListmonkOptions> = {}) {
  return createListmonkConnector({
    name: 'letters', url, user: listmonkUser, token: { secret: 'lists', value: listmonkToken }, from: 'Haus <news@example.org>', lists: ['*'], network: { isPrivate: true }, patience: { connect: 2_000, answer: 1_000 }, ...options,
  })
}

async function opened(t: TestContext, options: Partial<ListmonkOptions> = {}) {
  const api = await startListmonkApi(t)
  const connector = connectorTo(api.server.url, options)
  return { ...api, connector, wire: await composedBy(connector, 'newsletter.send', letter) }
}

connectorContract('listmonk', async (t) => {
  const { started, connector, wire } = await opened(t, { patience: { answer: 10_000 } })
  return { connector, act: { kind: 'newsletter.send', wire, arrives: Buffer.from(letter.subject) }, arrived: async () => started().map(({ subject }) => Buffer.from(subject)) }
})

test('a newsletter to 4,000 people says so on the card, in its title and in its risk', async (t) => {
  const { connector, server } = await opened(t)
  const composed = await connector.compose!('newsletter.send', letter, actFrame(connector))
  assert.deepEqual([composed.title, composed.recipients.to, composed.findings], [
    'Newsletter to 4,000 people: Neues im März', [`Readers, 4,000 people <list Readers at localhost:${server.port}>`], [{ add: 3, why: 'it goes to 4,000 people' }],
  ])
  const words = wordsOfAct(readOutboundAct(composed.wire)!)
  assert(words.startsWith(`Mail this newsletter to 4,000 people, by ${server.url}:\nReaders (list 3): 4,000 people\n`))
  for (const part of ['From: Haus <news@example.org>\nSubject: Neues im März\n', '\nHallo **alle**.\n', '<p>Hallo <strong>alle</strong>.</p>']) assert(words.includes(part), part)
  const two = await connector.compose!('newsletter.send', { ...letter, lists: ['Readers', 'Friends', 'Readers'] }, actFrame(connector))
  assert.equal(two.title, 'Newsletter to at most 4,010 people: Neues im März')
})

test('its campaign is made as a draft before the signature is spent, and started after it', async (t) => {
  const { connector, wire, campaigns, server } = await opened(t)
  let before: string[] = []
  const receipt = await connector.deliver(wire, documentFor(wire), signal, async () => void (before = campaigns.map(({ status }) => status)))
  assert.deepEqual([before, campaigns.length, campaigns[0]!.status], [['draft'], 1, 'running'])
  assert.deepEqual([receipt['campaign'], receipt['status'], receipt['people']], [41, 'running', 4_000])
  const { body, altbody, name } = campaigns[0]!
  assert.deepEqual([body, altbody, name], ['<p>Hallo <strong>alle</strong>.</p>\n<p><a href="{{ UnsubscribeURL }}">Abmelden</a></p>\n', letter.text, `Neues im März [${documentFor(wire).id}]`])
  const made = JSON.parse(server.received.find(({ method }) => method === 'POST')!.body.toString()) as object
  assert.deepEqual(Object.entries(made).filter(([key]) => /lists|from|type|archive|messenger|template/.test(key)), [['lists', [3]], ['from_email', 'Haus <news@example.org>'], ['type', 'regular'], ['content_type', 'html'], ['messenger', 'email'], ['archive', false]])
  assert.equal(await connector.reach!(signal), `listmonk at localhost:${server.port}, 3 lists`)
})

test('a draft that a crash left is made anew, and one that was changed there is not started', async (t) => {
  const { connector, wire, campaigns, server } = await opened(t)
  await failedDelivery(connector, wire, { commit: async () => {
    server.misbehave('drop')
    throw new Error('it died')
  } })
  assert.deepEqual(campaigns.map(({ status }) => status), ['draft'], 'it could not be taken away again')
  campaigns[0]!.body = '<p>Buy!</p>'
  await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.deepEqual(campaigns.map(({ id, status, body }) => [id, status, body.includes('Buy')]), [[42, 'running', false]])
  campaigns[0]!.body = '<p>Buy!</p>'
  assert.match((await failedDelivery(connector, wire)).message, /is running already, and is not what was signed/)
  assert.equal(await connector.reconcile!(wire, documentFor(wire), alone), undefined)
})

test('a listmonk that makes something else of it than was signed starts nothing, and its draft is gone', async (t) => {
  const { server, campaigns } = await startListmonkApi(t, { adds: '<p>Sent with love</p>' })
  const connector = connectorTo(server.url)
  const outcome = await failedDelivery(connector, await composedBy(connector, 'newsletter.send', letter))
  assert.deepEqual([outcome.code, outcome.spent, campaigns], ['connector.not_sent', 0, []])
  assert.match(outcome.message, /made something else of the newsletter than was signed/)
})

test('what is refused is not started and leaves no draft, what broke off is looked for, and the token is never said', async (t) => {
  const { server, connector, wire, campaigns, started } = await opened(t)
  const ways: [HttpMisbehaviour, string, RegExp, number][] = [
    [{ status: 400, body: JSON.stringify({ message: `No: ${listmonkToken}` }) }, 'connector.not_sent', /answered 400: No: …$/, 0], [{ status: 403, body: '{"message":"permission denied"}' }, 'connector.not_sent', /permission denied/, 0],
    [{ status: 502 }, 'connector.try_again', /502/, 1], ['cut', 'connector.unknown', /may have taken it/, 1],
  ]
  for (const [how, code, said, drafts] of ways) {
    const outcome = await failedDelivery(connector, wire, { commit: async () => server.misbehave(how) })
    assert.deepEqual([outcome.code, outcome.spent, started().length, campaigns.length], [code, 1, 0, drafts], JSON.stringify(how))
    assert.match(outcome.message, said)
    assert(!outcome.message.includes(listmonkToken))
    assert.equal(await connector.reconcile!(wire, documentFor(wire), alone), undefined)
  }
  server.misbehave('drop')
  assert.deepEqual((({ code, spent }) => [code, spent])(await failedDelivery(connector, wire)), ['connector.try_again', 0], 'a question changes nothing')
})

test('a start whose answer is lost is found, and one whose answer was a failure is not started again', async (t) => {
  for (const how of ['lost', 500] as const) {
    const { server, started, campaigns } = await startListmonkApi(t)
    const proxy = await startCuttingProxy(t, server.port)
    const connector = connectorTo(`http://localhost:${proxy.port}`)
    const wire = await composedBy(connector, 'newsletter.send', letter)
    assert.equal((await failedDelivery(connector, wire, { commit: async () => proxy.lose(how) })).code, how === 'lost' ? 'connector.unknown' : 'connector.try_again')
    assert.equal((await connector.reconcile!(wire, documentFor(wire), alone))?.['campaign'], 41)
    if (how === 500) assert.equal((await connector.deliver(wire, documentFor(wire), signal, commit))['campaign'], 41)
    assert.deepEqual([started().length, campaigns.length], [1, 1])
  }
})

test('when many more are on the list than were on the card, or the list is another, it is not started', async (t) => {
  const { connector, wire, lists, campaigns } = await opened(t)
  lists[0]!.subscriber_statuses['confirmed'] = 4_400
  const stopped = await failedDelivery(connector, wire, { commit: async () => { throw new Fault('refused', 'connector.not_sent', 'far enough') } })
  assert.deepEqual([stopped.message, campaigns.length], ['far enough', 0], 'it would have been started, and its draft is gone')
  lists[0]!.subscriber_statuses['confirmed'] = 4_401
  const outcome = await failedDelivery(connector, wire)
  assert.deepEqual([outcome.code, outcome.spent], ['connector.not_sent', 0])
  assert.match(outcome.message, /were 4,000 people when this was frozen, and are 4,401 people now/)
  lists[0]!.name = 'Everybody'
  assert.match((await failedDelivery(connector, wire)).message, /the list Readers is not there any more/)
  assert.equal(campaigns.length, 0)
})

test('lists that are missing, closed, empty, or not allowed, and templates in the subject refuse the proposal', async (t) => {
  const { connector, server } = await opened(t)
  const wrong: [object, RegExp][] = [
    [{ lists: ['Nobody'] }, /there is no list "Nobody"/], [{ lists: ['Old'] }, /there is no list "Old"/], [{ lists: ['Empty'] }, /nobody is on Empty/], [{ subject: 'Hi {{ .Subscriber.Email }}' }, /would carry out/],
    [{ subject: 'a\nb' }, /control/], [{ text: 'Hallo' }, /could unsubscribe/], [{ lists: [] }, /form of one/], [{ html: '<p>' }, /form of one/],
  ]
  for (const [change, message] of wrong) await assert.rejects(composedBy(connector, 'newsletter.send', { ...letter, ...change }), { message }, JSON.stringify(change))
  await assert.rejects(composedBy(connectorTo(server.url, { lists: ['Fri*'] }), 'newsletter.send', letter), { message: /not among the lists that castellan\.yaml allows: Fri\*/ })
  server.misbehave('drop')
  await assert.rejects(composedBy(connector, 'newsletter.send', letter), { kind: 'refused', message: /propose it again later/ })
})

test('undo cancels what has not left and says what has; a campaign that is done cannot be called back', async (t) => {
  const { connector, wire, campaigns } = await opened(t)
  const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
  campaigns[0]!.sent = 1_200
  assert.deepEqual(await connector.undo!(wire, documentFor(wire), receipt, alone), { campaign: 41, status: 'cancelled', sent: 1_200, to_send: 4_000 })
  assert.deepEqual((await connector.undo!(wire, documentFor(wire), {}, alone))['sent'], 1_200, 'a second time it is done')
  Object.assign(campaigns[0]!, { status: 'finished', sent: 4_000 })
  await assert.rejects(connector.undo!(wire, documentFor(wire), receipt, alone), { code: 'draft.not_undone', message: /finished, and 4,000 people of 4000 have got it/ })
  campaigns[0]!.status = 'draft'
  assert.deepEqual((await connector.undo!(wire, documentFor(wire), {}, alone))['status'], 'deleted')
  await assert.rejects(connector.undo!(wire, documentFor(wire), {}, alone), { code: 'draft.not_undone' })
})

test('a newsletter takes the passkey itself, is started once and undone by the draft, and P3 has no way out through it', async (t) => {
  const { server, campaigns } = await startListmonkApi(t)
  const outbox = await testOutbox(t, { connectors: () => [connectorTo(server.url)] })
  const options = { kind: 'newsletter.send', connector: 'letters', label: open } as const
  const draft = await outbox.readyToRelease({ ...letter, lists: ['Friends'] }, options)
  assert.deepEqual([draft.risk >= 8, sessionMaySign(draft)], [true, false])
  assert.match(readDocument(draft.document).rollback, /cancels the rest, and says how many have got it/)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  const done = await takeBack(outbox.deps, draft.id)
  assert(done.outcome === 'taken_back')
  assert.deepEqual([done.receipt['status'], campaigns[0]!.status], ['cancelled', 'cancelled'])
  await assert.rejects(outbox.freeze(letter, { ...options, label: { ...untrustedInternal, level: 3 } }), /nobody can name who reads this/)
})

test('another sender in the configuration, another token or none voids what was signed', async (t) => {
  const { server, campaigns, wire } = await opened(t)
  for (const options of [{ from: 'other@example.org' }, { token: { secret: 'lists', value: undefined } }, { token: { secret: 'lists', value: 'wrong-token' } }]) {
    assert.deepEqual((({ code, spent }) => [code, spent])(await failedDelivery(connectorTo(server.url, options), wire)), ['connector.not_sent', 0])
  }
  const outbox = await testOutbox(t, { connectors: () => [connectorTo(server.url)] })
  const { id } = await outbox.readyToRelease(letter, { kind: 'newsletter.send', connector: 'letters', label: open })
  await releaseDrafts({ ...outbox.deps, connectors: () => createConnectors([connectorTo(server.url, { from: 'other@example.org' })], { demonstration: false, accepted: false }) })
  assert.match((await outbox.draft(id)).reason!, /leads elsewhere now/)
  assert.equal(campaigns.length, 0)
})
