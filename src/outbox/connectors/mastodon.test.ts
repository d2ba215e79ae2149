import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { composedBy, failedDelivery } from '../../../test/support/attempt-delivery.ts'
import type { HttpMisbehaviour } from '../../../test/support/http-receiver.ts'
import { mastodonToken, startMastodonApi } from '../../../test/support/mastodon-api.ts'
import { testOutbox, untrustedInternal } from '../../../test/support/outbox.ts'
import { readOutboundAct, wordsOfAct } from '../acts/outbound-act.ts'
import { lengthOf } from '../compose/social-post.ts'
import { readDocument } from '../document.ts'
import { recoverDrafts } from '../recover-drafts.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { resolveDraft } from '../resolve-draft.ts'
import { sessionMaySign } from '../risk.ts'
import { takeBack } from '../take-back.ts'
import { alone, connectorContract, documentFor } from './connector.contract.ts'
import type { Trail } from './connector.ts'
import { createConnectors } from './connectors.ts'
import { createMastodonConnector, type MastodonOptions } from './mastodon.ts'

const post = { text: 'Wir haben ab Montag offen.\nhttps://example.org/zeiten', visibility: 'public', language: 'de' }
const { signal } = new AbortController()
const commit = async () => {}
const open = { level: 0, integrity: 'trusted', lanes: [] } as const

function connectorTo(instance: string, options: Partial<MastodonOptions> = {}) {
  return createMastodonConnector({ name: 'news', instance, account: 'house', token: { secret: 'news', value: mastodonToken }, network: { isPrivate: true }, patience: { connect: 2_000, answer: 500 }, ...options })
}

async function opened(t: TestContext, options: Partial<MastodonOptions> = {}) {
  const api = await startMastodonApi(t)
  const connector = connectorTo(api.server.url, options)
  return { ...api, connector, wire: await composedBy(connector, 'social.post', post) }
}

connectorContract('mastodon', async (t) => {
  const { posts, connector, wire } = await opened(t, { patience: { answer: 10_000 } })
  return { connector, act: { kind: 'social.post', wire, arrives: Buffer.from(post.text) }, arrived: async () => posts.map(({ text }) => Buffer.from(text)) }
})

test('a post has the text and the readers that were signed, and its receipt is its id', async (t) => {
  const { server, posts, connector, wire } = await opened(t)
  const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.deepEqual([receipt['id'], receipt['visibility'], receipt['url']], ['110000', 'public', `${server.url}/@house/110000`])
  const sent = server.received.at(-1)!
  assert.deepEqual([sent.path, sent.headers['idempotency-key'], JSON.parse(sent.body.toString())], ['/api/v1/statuses', documentFor(wire).nonce, { status: post.text, visibility: 'public', language: 'de' }])
  assert.equal(posts.length, 1)
  assert.equal(await connector.reach!(signal), `@house at localhost:${server.port}`)
})

test('the card says who can read it, whom it answers, and what it stands behind', async (t) => {
  const { connector, server } = await opened(t)
  const wire = await composedBy(connector, 'social.post', { text: '@eva@elsewhere.example Ja.', visibility: 'private', spoiler: 'Politik', replyTo: '7777' })
  assert.equal(wordsOfAct(readOutboundAct(wire)!), [
    `Post this as @house at ${server.url}, for those who follow the account (private).`, 'It answers the post 7777 of @eva@elsewhere.example: https://elsewhere.example/@eva/7777',
    'It stands behind the warning: Politik', 'Its language is what the account has set.', '', '@eva@elsewhere.example Ja.', '',
  ].join('\n'))
})

test('what the server refuses is not posted, its limits are waited out by its own clock, and its failures leave the question open; the token is never said', async (t) => {
  const { server, connector, wire, posts } = await opened(t)
  const limited = { status: 429, body: '{"error":"Too many requests"}', headers: { date: 'Mon, 02 Mar 2026 09:00:00 GMT', 'x-ratelimit-limit': '300', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2026-03-02T09:05:00.000000Z' } }
  const ways: [HttpMisbehaviour, string, RegExp][] = [
    [{ status: 401, body: '{"error":"The access token was revoked"}' }, 'connector.not_sent', /answered 401: The access token was revoked$/],
    [{ status: 422, body: JSON.stringify({ error: `Validation failed: ${mastodonToken}\u202e` }) }, 'connector.not_sent', /answered 422: Validation failed: …$/],
    [limited, 'connector.try_again', /answered 429: Too many requests/], [{ status: 503, body: '<html>' }, 'connector.unknown', /answered 503/], [{ status: 200, body: '{"id":"a/b"}' }, 'connector.unknown', /not what Mastodon's API answers/],
    ['cut', 'connector.unknown', /may have taken it/], ['stall', 'connector.unknown', /no answer came in time/],
  ]
  for (const [how, code, said] of ways) {
    const outcome = await failedDelivery(connector, wire, { commit: async () => server.misbehave(how) })
    assert.deepEqual([outcome.code, outcome.spent, posts.length], [code, 1, 0], JSON.stringify(how))
    assert.match(outcome.message, said)
    assert(!outcome.message.includes(mastodonToken) && !/revoked|Validation|Too many/.test(outcome.brief))
    if (code === 'connector.try_again') assert.equal(outcome.retryAfterMs, 300_000)
  }
  server.misbehave('drop')
  assert.deepEqual((({ code, spent }) => [code, spent])(await failedDelivery(connector, wire)), ['connector.try_again', 0], 'a question changes nothing')
})

test('a post of before, one that says something else and one for others are not taken for it', async (t) => {
  const { connector, wire, posts } = await opened(t)
  const like = { id: '1', text: post.text, visibility: 'public', spoiler_text: '', in_reply_to_id: null, language: 'de', created_at: '2026-03-02T09:10:00.000Z' }
  for (const other of [{ text: `${post.text}!` }, { visibility: 'unlisted' }, { spoiler_text: 'x' }, { in_reply_to_id: '7' }, { created_at: '2026-03-02T08:59:00.000Z' }]) posts.push({ ...like, ...other })
  assert.equal(await connector.reconcile!(wire, documentFor(wire), alone), undefined)
  posts.push({ ...like, id: '99' })
  assert.equal((await connector.reconcile!(wire, documentFor(wire), alone))?.['id'], '99')
})

test('a token of another account, none, or another server posts nothing', async (t) => {
  const { server, wire, posts } = await opened(t)
  const other = await startMastodonApi(t, { user: 'someone' })
  for (const [at, options, spent] of [[server, { token: { secret: 'news', value: undefined } }, 0], [server, { account: 'other' }, 0], [other.server, {}, 0]] as const) {
    assert.deepEqual((({ code, spent: count }) => [code, count])(await failedDelivery(connectorTo(at.url, options), wire)), ['connector.not_sent', spent])
  }
  await assert.rejects(composedBy(connectorTo(other.server.url), 'social.post', post), { message: /the token news is of @someone, and castellan\.yaml names @house/ })
  assert.deepEqual([posts.length, other.posts.length], [0, 0])
})

test('what is too long for this server, empty, hidden, for nobody or an answer to nothing is refused when it is frozen', async (t) => {
  const { connector, server } = await opened(t)
  await composedBy(connector, 'social.post', { ...post, text: `${'ä'.repeat(476)} https://example.org/${'x'.repeat(200)}` })
  const wrong = [
    { text: 'ä'.repeat(501) }, { text: 'x'.repeat(490), spoiler: 'y'.repeat(11) }, { text: ' \n' }, { text: 'a\u202eb' }, { spoiler: 'a\nb' }, { visibility: 'direct' }, { visibility: 'all' }, { media: ['1'] }, { language: 'Deutsch' }, { replyTo: '../x' }, { replyTo: '1' },
  ]
  for (const change of wrong) await assert.rejects(composedBy(connector, 'social.post', { ...post, ...change }), /characters|no text|control|mentions nobody|form of one|no post 1/, JSON.stringify(change))
  server.misbehave('drop')
  await assert.rejects(composedBy(connector, 'social.post', post), { kind: 'refused', message: /propose it again later/ })
})

test('characters are counted as one sees them, a link as the server says, a mention without its server', () => {
  for (const [text, length] of [['abc', 3], ['👩‍👩‍👧é', 2], ['https://example.org/a/very/long/address/that/counts/as/less b', 25], ['@eva@elsewhere.example hi', 7], ['mail eva@example.org', 20]] as const) assert.equal(lengthOf(text, 23), length, text)
})

test('a post can be signed with others, is undone by its id, and P3 has no way out through it', async (t) => {
  const { server, posts } = await startMastodonApi(t)
  const outbox = await testOutbox(t, { connectors: () => [connectorTo(server.url)] })
  const options = { kind: 'social.post', connector: 'news', label: open } as const
  const draft = await outbox.readyToRelease({ ...post, text: 'Guten Morgen @eva@elsewhere.example' }, options)
  const document = readDocument(draft.document)
  assert.deepEqual([draft.risk, sessionMaySign(draft), document.recipients.to], [5, true, [`everybody, by localhost:${server.port}`, '@eva@elsewhere.example']])
  assert.match(document.rollback, /castellan draft undo` deletes it there/)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  const done = await takeBack(outbox.deps, draft.id)
  assert(done.outcome === 'taken_back')
  assert.deepEqual([done.receipt['deleted'], posts.length], ['110000', 0])
  await assert.rejects(outbox.freeze(post, { ...options, label: { ...untrustedInternal, level: 3 } }), /nobody can name who reads this/)
})

const twin = { text: post.text, visibility: 'public', spoiler_text: '', in_reply_to_id: null, language: 'de', created_at: '2026-03-02T09:10:00.000Z' }

test('of the same words that leave at several times, one post is not taken for another', async (t) => {
  const { connector, wire, posts } = await opened(t)
  posts.push({ ...twin, id: '1' })
  const found = async (trail: Partial<Trail>) => (await connector.reconcile!(wire, documentFor(wire), { ...alone, ...trail }))?.['id']
  assert.deepEqual([await found({}), await found({ since: new Date('2026-03-02T09:10:30.000Z') })], ['1', '1'], 'clocks differ by a little')
  assert.equal(await found({ since: new Date('2026-03-02T16:00:00.000Z') }), undefined, 'it was there before this left')
  assert.equal(await found({ receipts: [{ id: '1' }] }), undefined, 'another draft left it')
  assert.equal(await found({ open: [wire] }), undefined, 'another draft may have left it')
  assert.equal(await found({ open: [await composedBy(connector, 'social.post', { ...post, language: 'en' })] }), undefined)
  assert.equal(await found({ open: [await composedBy(connector, 'social.post', { ...post, text: 'Zu.' })] }), '1')
  posts.push({ ...twin, id: '2' })
  assert.deepEqual([await found({}), await found({ receipts: [{ id: '1' }] })], [undefined, '2'], 'which of two it is nobody knows')
})

/** Two signed drafts of the same words in one outbox; what the server does with each post is said in turn. */
async function twins(t: TestContext, ...turns: ('taken' | 'lost' | 'missed' | 'limited')[]) {
  const { server, posts } = await startMastodonApi(t)
  const connector = connectorTo(server.url)
  const outbox = await testOutbox(t, { connectors: () => [{ ...connector, deliver: async (wire, document, until, spend) => {
    const turn = turns.shift() ?? 'taken'
    const receipt = await connector.deliver(wire, document, until, async () => {
      await spend()
      if (turn === 'missed') server.misbehave('drop')
      if (turn === 'limited') server.misbehave({ status: 429, headers: { 'retry-after': '60' } })
    })
    if (turn === 'lost') throw new Error('the connection ended')
    return receipt
  } }] })
  const options = { kind: 'social.post', connector: 'news', label: open } as const
  const ids = [(await outbox.readyToRelease(post, options)).id, (await outbox.readyToRelease(post, options)).id] as const
  const release = async () => {
    await releaseDrafts(outbox.deps)
    return Promise.all(ids.map(async (id) => {
      const { rows } = await outbox.database.owner.pool.query<{ state: string; post: string | null }>(`select d.state, y.receipt ->> 'id' as post from draft d left join delivery y on y.draft_id = d.id where d.id = $1`, [id])
      return [rows[0]!.state, rows[0]!.post]
    }))
  }
  const keys = () => server.received.filter(({ method }) => method === 'POST').map(({ headers }) => headers['idempotency-key'])
  return { outbox, posts, ids, release, keys }
}

test('of two drafts of the same words each is posted, under a key of its own', async (t) => {
  const { posts, release, keys } = await twins(t)
  assert.deepEqual(await release(), [['released', '110000'], ['released', '110001']])
  assert.deepEqual([posts.length, new Set(keys()).size], [2, 2])
})

test('a second draft of the same words that did not arrive is not said to be the first, and one that did is found beside it', async (t) => {
  const missed = await twins(t, 'taken', 'missed')
  assert.deepEqual([await missed.release(), missed.posts.length], [[['released', '110000'], ['unknown', null]], 1])
  await assert.rejects(takeBack(missed.outbox.deps, missed.ids[1]), { code: 'draft.not_undone' })
  assert.equal(missed.posts.length, 1, 'undo deletes no post of another draft')
  const lost = await twins(t, 'taken', 'lost')
  assert.deepEqual(await lost.release(), [['released', '110000'], ['released', '110001']])
})

test('while nobody knows of the first whether it arrived, a post of the same words is taken for neither', async (t) => {
  const { outbox, posts, ids, release } = await twins(t, 'missed', 'lost')
  assert.deepEqual([await release(), posts.length], [[['unknown', null], ['unknown', null]], 1])
  await assert.rejects(takeBack(outbox.deps, ids[0]), { code: 'draft.not_undone' })
  await resolveDraft(outbox.deps, ids[0], 'failed', 'it is not there')
  const done = await takeBack(outbox.deps, ids[1])
  assert(done.outcome === 'taken_back')
  assert.deepEqual([done.receipt['deleted'], posts.length], ['110000', 0])
})

test('the tries of one draft have one key, and a draft is posted once however its releaser ended', async (t) => {
  const { outbox, posts, ids, release, keys } = await twins(t, 'limited', 'taken', 'taken')
  assert.deepEqual(await release(), [['held', null], ['held', null]])
  outbox.clock.advance(60_000)
  assert.deepEqual(await release(), [['released', '110000'], ['released', '110001']])
  assert.deepEqual([posts.length, keys().length, new Set(keys()).size, keys()[0] === keys()[1]], [2, 3, 2, true])
  // its row forgot how it ended
  await outbox.database.owner.pool.query('alter table draft disable trigger draft_state_moves')
  await outbox.database.owner.pool.query(`update draft set state = 'releasing', closed_at = null where id = $1`, [ids[1]])
  await outbox.database.owner.pool.query(`update delivery set state = 'attempting', receipt = null, closed_at = null where draft_id = $1`, [ids[1]])
  await recoverDrafts(await outbox.reopenSpent())
  assert.deepEqual([await release(), posts.length], [[['released', '110000'], ['released', '110001']], 2])
})

test('a title ends before a character that does not fit into it, and not within', async (t) => {
  const { server } = await startMastodonApi(t)
  const outbox = await testOutbox(t, { connectors: () => [connectorTo(server.url)] })
  const { document } = await outbox.freeze({ ...post, text: `${'x'.repeat(79)}😀 und mehr` }, { kind: 'social.post', connector: 'news', label: open })
  assert.equal(readDocument(document).title, `Post (public): ${'x'.repeat(79)}`)
})

test('another account in the configuration voids what was signed', async (t) => {
  const { server, posts } = await startMastodonApi(t)
  const outbox = await testOutbox(t, { connectors: () => [connectorTo(server.url)] })
  const { id } = await outbox.readyToRelease(post, { kind: 'social.post', connector: 'news', label: open })
  await releaseDrafts({ ...outbox.deps, connectors: () => createConnectors([connectorTo(server.url, { account: 'other' })], { demonstration: false, accepted: false }) })
  assert.match((await outbox.draft(id)).reason!, /leads elsewhere now/)
  assert.equal(posts.length, 0)
})

test('a failure in the middle of posting is cleared up by looking, and undo finds a post whose receipt nobody has', async (t) => {
  const { server, posts, connector, wire } = await opened(t)
  const outbox = await testOutbox(t, { connectors: () => [{ ...connector, deliver: async (bytes, document, until, spend) => {
    await connector.deliver(bytes, document, until, spend)
    throw new Error('the connection ended')
  } }] })
  const { id } = await outbox.readyToRelease(post, { kind: 'social.post', connector: 'news', label: open })
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.deepEqual([(await outbox.draft(id)).state, posts.length], ['released', 1])
  assert.deepEqual(await connector.undo!(wire, documentFor(wire), {}, alone), { deleted: '110000', was_there: true })
  assert.deepEqual(await connector.undo!(wire, documentFor(wire), { id: '110000' }, alone), { deleted: '110000', was_there: false })
  await assert.rejects(connector.undo!(wire, documentFor(wire), {}, alone), { code: 'draft.not_undone' })
  assert.equal(server.received.filter(({ method }) => method === 'POST').length, 1)
})
