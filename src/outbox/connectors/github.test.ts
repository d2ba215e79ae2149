import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { composedBy, failedDelivery } from '../../../test/support/attempt-delivery.ts'
import { githubToken, startGithubApi } from '../../../test/support/github-api.ts'
import type { HttpMisbehaviour } from '../../../test/support/http-receiver.ts'
import { testOutbox } from '../../../test/support/outbox.ts'
import { Fault } from '../../kernel/fault.ts'
import { readOutboundAct, wordsOfAct } from '../acts/outbound-act.ts'
import { releaseDrafts } from '../release-drafts.ts'
import { alone, connectorContract, documentFor } from './connector.contract.ts'
import { createConnectors } from './connectors.ts'
import { createGithubConnector, type GithubOptions } from './github.ts'

const pull = { head: 'agent/typo', base: 'main', title: 'Say two', body: 'It said one.' }
const { signal } = new AbortController()
const commit = async () => {}

function connectorTo(api: string, options: Partial<GithubOptions> = {}) {
  return createGithubConnector({ name: 'forge', repository: 'house/site', bases: ['main'], api, token: { secret: 'forge', value: githubToken }, network: { isPrivate: true }, patience: { connect: 2_000, answer: 500 }, ...options })
}

async function opened(t: TestContext, options: Partial<GithubOptions> = {}) {
  const forge = await startGithubApi(t)
  const connector = connectorTo(forge.server.url, options)
  return { ...forge, connector, wire: await composedBy(connector, 'pull.open', pull) }
}

connectorContract('github', async (t) => {
  const { pulls, connector, wire } = await opened(t, { patience: { answer: 10_000 } })
  return { connector, act: { kind: 'pull.open', wire, arrives: Buffer.from('Say two') }, arrived: async () => pulls.map(({ title }) => Buffer.from(title)) }
})

test('a pull request has the words and the commit that were signed, and its receipt is its number', async (t) => {
  const { server, connector, wire, pulls } = await opened(t)
  assert.equal(wordsOfAct(readOutboundAct(wire)!), [
    'Open a pull request in house/site: agent/typo into main.', `It is opened only as long as agent/typo is at ${'a'.repeat(40)}.`, '', 'Say two', '', 'It said one.', '',
    '3 paths, +2 −1 lines, against main:', 'README.md  changed +2 −1', 'old.md  deleted, not text', 'new.md  added +0 −0', '',
  ].join('\n'))
  const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.deepEqual([receipt['number'], receipt['commit'], pulls[0]!.body], [7, 'a'.repeat(40), 'It said one.'])
  assert.deepEqual(JSON.parse(server.received.at(-1)!.body.toString()), { title: 'Say two', body: 'It said one.', head: 'agent/typo', base: 'main', maintainer_can_modify: false })
  assert.equal(await connector.reach!(signal), 'the repository house/site')
})

test('when the branch moved since, nothing is opened', async (t) => {
  const { connector, wire, heads, pulls } = await opened(t)
  heads.set('agent/typo', 'b'.repeat(40))
  const outcome = await failedDelivery(connector, wire)
  assert.deepEqual([outcome.code, outcome.spent, pulls.length], ['connector.not_sent', 0, 0])
  assert.match(outcome.message, /is at b+ now, and was at a+ when this was frozen/)
})

test('when the branch moves between the last look and the opening, no receipt says that it shows what was signed', async (t) => {
  const { connector, wire, heads, pulls } = await opened(t)
  const outcome = await failedDelivery(connector, wire, { commit: async () => void heads.set('agent/typo', 'b'.repeat(40)) })
  assert.deepEqual([outcome.code, outcome.spent, pulls.length], ['connector.unknown', 1, 1])
  assert.match(outcome.message, /opened pull request 7, which shows b+, and a+ was signed: agent\/typo was moved meanwhile\. Look at it there/)
  assert.equal(await connector.reconcile!(wire, documentFor(wire), alone), undefined)
})

test('what is refused is not opened, what broke off is open and is found by looking; the token is never said', async (t) => {
  const { server, connector, wire, pulls } = await opened(t)
  const ways: [HttpMisbehaviour, string, RegExp, number][] = [
    [{ status: 403, body: JSON.stringify({ message: `No: ${githubToken}` }) }, 'connector.not_sent', /answered 403: No: …$/, 0], [{ status: 429 }, 'connector.try_again', /429/, 0],
    [{ status: 502 }, 'connector.unknown', /502/, 0], [{ status: 201, body: '{}' }, 'connector.unknown', /not what GitHub's API answers/, 0], ['drop', 'connector.unknown', /may have taken it/, 0],
  ]
  for (const [how, code, said, count] of ways) {
    const outcome = await failedDelivery(connector, wire, { commit: async () => server.misbehave(how) })
    assert.deepEqual([outcome.code, outcome.spent, pulls.length], [code, 1, count], JSON.stringify(how))
    assert.match(outcome.message, said)
    assert(!outcome.message.includes(githubToken))
    assert.equal(await connector.reconcile!(wire, documentFor(wire), alone), undefined)
  }
  for (const how of ['drop', { status: 500 }] as const) {
    server.misbehave(how)
    const outcome = await failedDelivery(connector, wire)
    assert.deepEqual([outcome.code, outcome.spent], ['connector.try_again', 0], 'a question changes nothing')
  }
  await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.equal((await connector.reconcile!(wire, documentFor(wire), alone))?.['number'], 7)
  assert.match((await failedDelivery(connector, wire)).message, /422: Validation Failed; A pull request already exists/)
})

const limits: [string, number, Record<string, string>, string, number][] = [
  ['an hour is used up', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1772442300' }, 'API rate limit exceeded for user ID 1.', 300_000],
  ['the same by the other status', 429, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1772442300' }, 'API rate limit exceeded.', 300_000],
  ['a secondary limit that names its time', 403, { 'retry-after': '90', 'x-ratelimit-remaining': '4000', 'x-ratelimit-reset': '1772445600' }, 'You have exceeded a secondary rate limit.', 90_000],
  ['a secondary limit that names none', 403, { 'x-ratelimit-remaining': '4000', 'x-ratelimit-reset': '1772445600' }, 'You have exceeded a secondary rate limit. Please wait a few minutes.', 60_000],
  ['a time that is over', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1772441900' }, 'API rate limit exceeded.', 60_000],
  ['a time that nobody waits for', 403, { 'retry-after': '999999' }, 'API rate limit exceeded.', 3_600_000],
]

test('a limit of the forge, by whichever status and header it is said, is waited out: what it refused was certainly not taken', async (t) => {
  const { server, connector, wire, pulls } = await opened(t)
  for (const [what, status, headers, message, wait] of limits) {
    const how = { status, headers: { date: 'Mon, 02 Mar 2026 09:00:00 GMT', ...headers }, body: JSON.stringify({ message }) }
    const posting = await failedDelivery(connector, wire, { commit: async () => server.misbehave(how) })
    server.misbehave(how)
    const looking = await failedDelivery(connector, wire)
    for (const [{ code, spent, retryAfterMs }, often] of [[posting, 1], [looking, 0]] as const) assert.deepEqual([code, spent, retryAfterMs], ['connector.try_again', often, wait], what)
    assert(!posting.brief.includes(message), 'the words of others are not in the audit')
  }
  assert.equal(pulls.length, 0)
  const denied = { status: 403, headers: { 'x-ratelimit-remaining': '4000', 'x-ratelimit-reset': '1772445600' }, body: '{"message":"Resource not accessible by personal access token"}' }
  assert.equal((await failedDelivery(connector, wire, { commit: async () => server.misbehave(denied) })).code, 'connector.not_sent')
  server.misbehave({ status: 403, headers: { 'retry-after': '90' }, body: '{"message":"You have exceeded a secondary rate limit."}' })
  await assert.rejects(composedBy(connector, 'pull.open', pull), { kind: 'refused', message: /propose it again later/ })
})

test('a signed pull request that met a limit is held until the time that the forge named, and is then opened once', async (t) => {
  const { server, pulls } = await startGithubApi(t)
  const connector = connectorTo(server.url)
  let limited = true
  const outbox = await testOutbox(t, { connectors: () => [{ ...connector, deliver: (wire, document, until, spend) => connector.deliver(wire, document, until, async () => {
    await spend()
    if (limited) server.misbehave({ status: 403, headers: { 'retry-after': '600' }, body: '{"message":"You have exceeded a secondary rate limit."}' })
    limited = false
  }) }] })
  const { id } = await outbox.readyToRelease(pull, { kind: 'pull.open', connector: 'forge', label: { level: 0, integrity: 'trusted', lanes: [] } })
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  const { state, holdUntil, nonce } = await outbox.draft(id)
  assert.deepEqual([state, holdUntil, outbox.deps.spent.find(nonce)], ['held', new Date(outbox.clock.now().getTime() + 600_000), undefined])
  outbox.clock.advance(599_000)
  assert.equal((await releaseDrafts(outbox.deps)).released, 0)
  outbox.clock.advance(1_000)
  assert.deepEqual([(await releaseDrafts(outbox.deps)).released, pulls.length], [1, 1])
})

test('branches that are none, or that nothing may be asked into, and a forge that does not answer, refuse the proposal', async (t) => {
  const { server, connector } = await opened(t)
  for (const payload of [{ ...pull, base: 'release' }, { ...pull, head: '../x' }, { ...pull, head: 'missing' }, { ...pull, title: 'a\nb' }, { ...pull, body: 'a\u202eb' }, { ...pull, draft: true }]) {
    await assert.rejects(composedBy(connector, 'pull.open', payload), Fault, JSON.stringify(payload))
  }
  server.misbehave('drop')
  await assert.rejects(composedBy(connector, 'pull.open', pull), { kind: 'refused', message: /propose it again later/ })
})

test('before it is signed, the forge is told of no branch that it has not named itself, however many it has', async (t) => {
  const { server, heads, connector } = await opened(t)
  for (let index = 0; index < 250; index += 1) heads.set(`other/${index}`, 'd'.repeat(40))
  heads.set('agent/last', 'e'.repeat(40))
  await assert.rejects(composedBy(connector, 'pull.open', { ...pull, head: 'agent/a-secret-word' }), { code: 'git.branch', message: /has no branch agent\/a-secret-word; push it first/ })
  await assert.rejects(composedBy(connectorTo(server.url, { bases: ['*'] }), 'pull.open', { ...pull, base: 'another-secret' }), { code: 'git.branch' })
  assert.match(wordsOfAct(readOutboundAct(await composedBy(connector, 'pull.open', { ...pull, head: 'agent/last' }))!), /agent\/last is at e+/)
  assert.equal(server.received.some(({ path, body }) => /secret/.test(`${path}${body.toString()}`)), false)
})

test('a signed pull request is opened once, workflows take the passkey, and another repository in the configuration voids it', async (t) => {
  const { server, files, pulls } = await startGithubApi(t)
  const outbox = await testOutbox(t, { connectors: () => [connectorTo(server.url)] })
  const options = { kind: 'pull.open', connector: 'forge', label: { level: 0, integrity: 'trusted', lanes: [] } } as const
  assert((await outbox.readyToRelease(pull, options)).risk < 7)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.equal(pulls.length, 1)
  files.push({ filename: '.github/workflows/ci.yml', status: 'modified', additions: 1, deletions: 0 })
  const second = await outbox.readyToRelease(pull, options)
  assert(second.risk >= 8)
  const deps = { ...outbox.deps, connectors: () => createConnectors([connectorTo(server.url, { repository: 'house/other' })], { demonstration: false, accepted: false }) }
  await releaseDrafts(deps)
  assert.match((await outbox.draft(second.id)).reason!, /leads elsewhere now/)
})
