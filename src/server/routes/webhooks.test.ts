import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobDefinition } from '../../../test/support/jobs.ts'
import { testServer } from '../../../test/support/server.ts'
import { webhook } from '../../../test/support/webhooks.ts'
import { createDoctor } from '../doctor/doctor.ts'
import { webhookExamination } from '../doctor/webhook-examination.ts'
import type { StatusView, WebhooksView } from '../api.ts'

const hub = webhook('hub', 'github')
const reader = jobDefinition({ name: 'reader', webhook: { name: 'hub', events: [] } })

async function tally(server: Awaited<ReturnType<typeof testServer>>, source: string, outcome: string, count: number, daysAgo = 0): Promise<void> {
  const at = new Date(server.clock.now().getTime() - daysAgo * 86_400_000)
  await server.database.owner.pool.query('insert into inbound_tally (source, day, outcome, count, last_at) values ($1, $2, $3, $4, $5)', [source, at.toISOString().slice(0, 10), outcome, count, at])
}

test('webhooks are listed with what they start and what came today, refusals by their reasons', async (t) => {
  const server = await testServer(t, [reader], { webhooks: [hub, webhook('quiet', 'stripe')] })
  for (const [source, outcome, count, days] of [['hub', 'stored', 4, 0], ['hub', 'forged', 2, 0], ['hub', 'late', 1, 0], ['hub', 'replayed', 5, 0], ['hub', 'stored', 9, 1], ['?', 'unknown', 3, 0]] as const) await tally(server, source, outcome, count, days)
  const { data, error } = await server.get<WebhooksView>('/api/webhooks')
  assert.ok(data, error?.message)
  const [first, second] = data.webhooks
  assert.deepEqual([data.port, data.unknown], [7404, 3])
  assert.deepEqual([first!.state, first!.jobs, first!.label.word, first!.last_at, first!.today], ['listening', ['reader'], 'P2 internal', null, { stored: 4, replayed: 5, unwanted: 0, refused: 3, reasons: { forged: 2, late: 1 } }])
  assert.deepEqual([second!.name, second!.jobs, second!.today.refused], ['quiet', [], 0])
  assert.deepEqual((await server.get<StatusView>('/api/house')).status, 503, 'it is still starting')
})

test('the doctor says what keeps deliveries away, and what they do not start', async (t) => {
  const server = await testServer(t, [reader], { webhooks: [hub, webhook('quiet', 'stripe', { events: ['invoice.*'] })] })
  await tally(server, 'hub', 'forged', 2)
  const examine = async (port: number | null, problems: string[] = []) =>
    (await createDoctor([webhookExamination({ ...server.deps, webhooks: { port, problemsOf: ({ name }) => (name === 'hub' ? problems : []) } })]).examine()).map(({ status, what }) => `${status} ${what}`)
  assert.deepEqual(await examine(null), ['fail 2 webhook(s) are declared, and nothing listens for them: a process is told of its first webhook when it starts'])
  assert.deepEqual(await examine(7404, ['the secret hub is missing']), [
    'ok 2 webhook(s) on 127.0.0.1:7404, 0 event(s) today', 'fail hub: the secret hub is missing', 'warn hub: 2 deliveries were refused today (2 not signed with its secret)',
    'warn quiet: its events start no job (it takes in invoice.*)',
  ])
  const none = await testServer(t)
  assert.deepEqual(await createDoctor([webhookExamination(none.deps)]).examine(), [{ id: 'webhooks', status: 'ok', what: 'no webhook is declared' }])
})
