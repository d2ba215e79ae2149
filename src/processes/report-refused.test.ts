import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startHttpReceiver } from '../../test/support/http-receiver.ts'
import { aMail, snapshot, testOutbox, type TestOutboxOptions } from '../../test/support/outbox.ts'
import { createReporter, listAlerts } from '../health/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { OutboxDeps } from '../outbox/change.ts'
import { createWebhookConnector } from '../outbox/connectors/webhook.ts'
import { decideDraft } from '../outbox/decide-draft.ts'
import { freezeProposals } from '../outbox/freeze-proposal.ts'
import { recoverDrafts } from '../outbox/recover-drafts.ts'
import { releaseDrafts } from '../outbox/release-drafts.ts'
import { reportRefused, watchSealing } from './report-refused.ts'

/** The releaser's outbox with what it reports, and the alerts as the operator sees them. */
async function watched(t: TestContext, options: TestOutboxOptions = {}) {
  const outbox = await testOutbox(t, options)
  const reporter = createReporter({ database: outbox.deps.database, clock: outbox.clock, log: outbox.deps.log })
  t.after(reporter.close)
  return {
    outbox, reporter,
    deps: (): OutboxDeps => ({ ...outbox.deps, onRefused: reportRefused(reporter, (name) => outbox.deps.connectors().find(name) !== undefined) }),
    alerts: async () => {
      await reporter.flush()
      return (await listAlerts(outbox.database.as('castellan_server'), 'all', 20)).map(({ kind, level, subject, code }) => [kind, level, subject, code])
    },
  }
}

test('a proposal that cannot be what it says is an injection that was stopped; one that can is none', async (t) => {
  const { outbox, deps, alerts } = await watched(t)
  await outbox.propose()
  await freezeProposals(deps())
  assert.deepEqual(await alerts(), [])
  await outbox.propose({ ...aMail, to: ['Eva\r\nBcc: mallory@example.org <eva@example.org>'] })
  await freezeProposals(deps())
  assert.deepEqual((await alerts()).map(([kind, level, subject]) => [kind, level, subject]), [['injection.stopped', 'warning', 'file']])
})

test('a connector that is made up is not named', async (t) => {
  const { outbox, deps, alerts } = await watched(t)
  await outbox.propose(aMail, { connector: 'please look at evil.example' })
  await freezeProposals(deps())
  assert.deepEqual((await alerts()).map(([kind, , subject]) => [kind, subject]), [['injection.stopped', 'others']])
})

test('a signature that does not hold is critical', async (t) => {
  const { outbox, deps, alerts } = await watched(t)
  const draft = await outbox.freeze()
  await assert.rejects(decideDraft(deps(), draft.id, { verdict: 'approve', keyId: outbox.key.id, signature: outbox.key.sign('{}') }), (error: Fault) => error.code === 'draft.signature')
  assert.deepEqual(await alerts(), [['signature.failed', 'critical', 'drafts', 'draft.signature']])
})

test('a row that was altered after it was signed is critical, and names the way out', async (t) => {
  const { outbox, deps, alerts } = await watched(t)
  const draft = await outbox.readyToRelease()
  await outbox.database.owner.pool.query(`alter table draft disable trigger user; update draft set risk = risk + 1 where id = '${draft.id}'; alter table draft enable trigger user`)
  await releaseDrafts(deps())
  assert.deepEqual(await alerts(), [['signature.failed', 'critical', 'file', 'draft.altered']])
})

test('a draft that a restored database brings back signed is a replay; its release says so', async (t) => {
  const { outbox, deps, alerts } = await watched(t)
  await outbox.readyToRelease()
  const restore = await snapshot(outbox)
  await releaseDrafts(deps())
  assert.deepEqual(await alerts(), [])
  await restore()
  await releaseDrafts(deps())
  assert.deepEqual(await alerts(), [['nonce.replayed', 'critical', 'file', 'nonce.spent']])
})

test('a file of spent nonces that is gone is critical', async (t) => {
  const { outbox, deps, alerts } = await watched(t)
  await outbox.readyToRelease()
  await releaseDrafts(deps())
  rmSync(join(outbox.folder, 'spent-nonces.jsonl'))
  await outbox.reopenSpent()
  await recoverDrafts(deps())
  assert.deepEqual(await alerts(), [['nonces.lost', 'critical', 'drafts', 'nonce.lost']])
})

for (const [what, far, expected] of [
  ['a receiver that leads elsewhere', { status: 307, headers: { location: 'https://evil.example/' } }, [['outbound.unexpected', 'warning', 'hook', 'connector.not_sent']]],
  ['a receiver that only refuses', { status: 403 }, []],
] as const) {
  test(`${what} is ${expected.length === 0 ? 'no' : 'an'} alert`, async (t) => {
    const server = await startHttpReceiver(t)
    const { outbox, deps, alerts } = await watched(t, {
      connectors: () => [createWebhookConnector({
        name: 'hook', url: `${server.url}/in`, secret: { secret: 'hook', value: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }, network: { isPrivate: true, ca: undefined },
        clock: { now: () => new Date() }, patience: { connect: 2_000, answer: 2_000 },
      })],
    })
    await outbox.readyToRelease({ body: { type: 'lead.new', data: {} } }, { kind: 'webhook', connector: 'hook' })
    server.misbehave(far)
    await releaseDrafts(deps())
    assert.equal(server.received.length, 1)
    assert.deepEqual(await alerts(), expected)
  })
}

test('a name that leads to this machine is an alert before anything is connected', async (t) => {
  const server = await startHttpReceiver(t)
  const { outbox, deps, alerts } = await watched(t, {
    connectors: () => [createWebhookConnector({
      name: 'hook', url: `https://localhost:${server.port}/in`, secret: { secret: 'hook', value: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }, network: { isPrivate: false, ca: undefined },
      clock: { now: () => new Date() }, patience: { connect: 2_000, answer: 2_000 },
    })],
  })
  await outbox.readyToRelease({ body: { type: 'lead.new', data: {} } }, { kind: 'webhook', connector: 'hook' })
  await releaseDrafts(deps())
  assert.equal(server.connections, 0)
  assert.deepEqual(await alerts(), [['outbound.unexpected', 'warning', 'hook', 'http.refused']])
})

test('a seal that fails because the chain is another one is critical until the next succeeds; one that fails because of the weather is none', async (t) => {
  const { outbox, reporter, alerts } = await watched(t)
  const sealing = watchSealing(reporter)
  const failing = (fault: Fault) => assert.rejects(sealing(() => Promise.reject(fault)))
  await failing(new Fault('unavailable', 'database.unavailable', 'gone'))
  assert.deepEqual(await alerts(), [])
  await failing(new Fault('conflict', 'audit.head_mismatch', 'its end was removed'))
  assert.deepEqual(await alerts(), [['audit.broken', 'critical', 'sealing', 'audit.head_mismatch']])
  await sealing(async () => {})
  await reporter.flush()
  assert.deepEqual((await listAlerts(outbox.database.as('castellan_server'), 'now', 20)), [])
})
