import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { sealAudit, verifyAudit } from '../src/kernel/audit/index.ts'
import { createSmtpConnector, type SmtpConnectorOptions } from '../src/outbox/connectors/smtp.ts'
import type { DraftState } from '../src/outbox/draft.ts'
import { listDrafts } from '../src/outbox/draft-queries.ts'
import { aMail, testOutbox, type TestOutbox } from './support/outbox.ts'
import { releaserLife, type ReleaserTask } from './support/releaser-child.ts'
import { smtpSteps, startSmtpServer, type SmtpStep, type SmtpTestServer } from './support/smtp-server.ts'

const auth = { user: 'haus@example.org', password: 'secret' }
/** Longer than every wait between two tries together. */
const later = 3_600_000
/** More than the machine takes in before the other side has read it: the connection can break off in the middle. */
const large = Buffer.alloc(12 * 1024 * 1024, 'attachment ').toString('base64')

interface Post {
  readonly outbox: TestOutbox
  readonly server: SmtpTestServer
  /** Starts a releaser in a process of its own, that lives until there is nothing more to do. */
  start(faultPoints?: string): ChildProcess
  /** The one that comes after it, with a server that does as it should. */
  restart(): Promise<void>
}

/** `patience`: milliseconds for a server that says nothing; short where one is to fall silent, and long where a busy machine must not look like one that has. */
async function post(t: TestContext, patience = 60_000): Promise<Post> {
  const server = await startSmtpServer(t, { security: 'starttls', auth })
  const smtp = (): SmtpConnectorOptions => ({
    name: 'smtp', host: server.host, port: server.port, ca: server.ca, security: 'starttls', from: 'Haus <haus@example.org>', user: auth.user,
    password: { secret: 'smtp', value: auth.password }, patience: { connect: Math.max(patience, 10_000), command: patience, piece: patience, answer: patience },
  })
  const outbox = await testOutbox(t, { connectors: () => [createSmtpConnector({ ...smtp(), patience: {} })] })
  await outbox.deps.spent.close()
  return {
    outbox, server,
    start(faultPoints) {
      const task: ReleaserTask = {
        connection: outbox.database.connection('castellan_releaser'), folder: outbox.folder, outgoing: outbox.outgoing, settings: outbox.settings, smtp: smtp(),
        key: { id: outbox.key.id, pem: outbox.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }, now: outbox.clock.now().toISOString(),
        ...(faultPoints !== undefined && { faultPoints }),
      }
      const child = spawn(process.execPath, [join(import.meta.dirname, 'support', 'releaser-child.ts'), JSON.stringify(task)], { stdio: ['ignore', 'inherit', 'pipe'] })
      child.stderr!.on('data', (text: Buffer) => {
        if (!text.includes('fault point')) process.stderr.write(text)
      })
      return child
    },
    async restart() {
      outbox.clock.advance(later)
      const deps = await outbox.reopenSpent()
      try {
        await releaserLife(deps, outbox.clock, outbox.key)
      } finally {
        await deps.spent.close()
      }
    },
  }
}

const ended = async (child: ChildProcess): Promise<string | number> => {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return signal ?? code!
}

/** How the newest draft stands, and how often it arrived. */
async function newest({ outbox, server }: Post): Promise<{ state: DraftState; arrived: number; reason: string | null }> {
  const [{ id, state, reason } = assert.fail('there is no draft')] = await listDrafts(outbox.database.owner.pool, { limit: 1 })
  return { state, reason, arrived: arrivals(server, id) }
}

function arrivals(server: SmtpTestServer, draft: string): number {
  return server.received.filter(({ raw }) => raw.includes(`Message-ID: <${draft}@`)).length
}

/** What holds after everything, however it went. */
async function checkAll({ outbox, server }: Post): Promise<void> {
  const { pool } = outbox.database.owner
  const drafts = await listDrafts(pool, { limit: 1_000 })
  for (const { id, state } of drafts) {
    const draft = await outbox.draft(id)
    const found = server.received.filter(({ raw }) => raw.includes(`Message-ID: <${id}@`))
    assert(found.length <= 1, `${id} arrived ${found.length} times`)
    assert(['released', 'failed', 'unknown'].includes(state), `${id} ended ${state}`)
    if (state === 'released') assert.equal(found.length, 1)
    if (state === 'failed') assert.equal(found.length, 0)
    if (found[0]) assert(found[0].raw.equals(draft.wire), 'what arrived is what was signed')
  }
  assert.equal(server.received.length, drafts.filter(({ id }) => arrivals(server, id) > 0).length, 'nothing else arrived')
  const { rows } = await pool.query(`select count(*)::int as n from decision where verdict = 'approve'`)
  assert.equal(rows[0].n, drafts.length, 'every decision is there')
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const database = outbox.database.as('castellan_releaser')
  while (!(await pool.query<{ over: boolean }>('select max(xid) < pg_snapshot_xmin(pg_current_snapshot()) as over from audit_event')).rows[0]!.over) await turn()
  await sealAudit({ database, keyId: 'seal', sign: (head) => sign(null, head, privateKey) })
  const verified = await verifyAudit({ database, keys: new Map([['seal', publicKey]]) })
  assert.deepEqual([verified.ok, verified.unsealed.count], [true, 0])
  const closed = await pool.query<{ subject: string }>(`select subject from audit_event where kind in ('draft.released', 'draft.failed', 'draft.unknown') order by subject`)
  assert.deepEqual(closed.rows.map(({ subject }) => subject), drafts.map(({ id }) => id).sort(), 'the audit says of each once how it ended')
}

/** How a draft ends that met this at its first try, and how it stood before the next releaser came. */
const early = { first: 'held', last: 'released', arrived: 1 } as const
const taken = { first: 'unknown', last: 'unknown', arrived: 1 } as const
const sent = { first: 'released', last: 'released', arrived: 1 } as const
const ofStep: Record<SmtpStep, { readonly first: DraftState; readonly last: DraftState; readonly arrived: number }> = {
  connect: early, EHLO: early, STARTTLS: early, AUTH: early, MAIL: early, RCPT: early, DATA: early, body: early, dot: taken, answered: sent, QUIT: sent,
}
const mailFor = (step: string) => ({ ...aMail, subject: step, ...(step === 'body' && { attachments: [{ name: 'large.txt', content: large }] }) })

/** Between two steps, and around each thing that is recorded. */
const points: Record<string, readonly [DraftState, number]> = {
  'draft.releasing:before': ['released', 1], 'draft.releasing:after': ['released', 1], 'connector.deliver:before': ['released', 1],
  'smtp.connected': ['released', 1], 'smtp.greeted': ['released', 1], 'smtp.authenticated': ['released', 1], 'smtp.mail': ['released', 1],
  'smtp.rcpt': ['released', 1], 'smtp.data': ['released', 1], 'smtp.body': ['released', 1], 'nonce.spend:before': ['released', 1],
  'nonce.spend:after': ['unknown', 0], 'smtp.sent:before': ['unknown', 0], 'smtp.sent:after': ['unknown', 1],
  'connector.deliver:after': ['unknown', 1], 'draft.released:before': ['unknown', 1], 'draft.released:after': ['released', 1],
}

// each has a database and a server of its own, and mostly waits
describe('whoever dies at whatever step', { concurrency: true }, () => {
  for (const how of ['drop', 'stall'] as const) {
    test(`a server that ${how}s at each step: what never arrived is sent once, what may have arrived is asked about`, { timeout: 420_000 }, async (t) => {
      const there = await post(t, how === 'stall' ? 3_000 : undefined)
      for (const step of smtpSteps) {
        await there.outbox.propose(mailFor(step), { connector: 'smtp' })
        there.server.misbehave(step, how)
        assert.equal(await ended(there.start()), 0)
        assert.equal((await newest(there)).state, ofStep[step].first, `at ${step}, before the restart`)
        await there.restart()
        const { state, arrived } = await newest(there)
        assert.deepEqual([step, state, arrived], [step, ofStep[step].last, ofStep[step].arrived])
      }
      await checkAll(there)
    })
  }

  test('a releaser that is killed while it waits for the server, at each step', { timeout: 420_000 }, async (t) => {
    const there = await post(t)
    for (const step of smtpSteps.filter((one) => one !== 'answered' && one !== 'QUIT')) {
      await there.outbox.propose(mailFor(step), { connector: 'smtp' })
      there.server.misbehave(step, 'stall')
      const stalled = there.server.stalled()
      const child = there.start()
      await stalled
      child.kill('SIGKILL')
      assert.equal(await ended(child), 'SIGKILL')
      assert.equal((await newest(there)).state, 'releasing')
      await there.restart()
      const { state, arrived } = await newest(there)
      assert.deepEqual([step, state, arrived], [step, ofStep[step].last, ofStep[step].arrived])
    }
    await checkAll(there)
  })

  test('a releaser that is killed between the steps', { timeout: 420_000 }, async (t) => {
    const there = await post(t)
    for (const [point, [state, arrived]] of Object.entries(points)) {
      await there.outbox.propose(mailFor(point), { connector: 'smtp' })
      assert.equal(await ended(there.start(`${point}=1`)), 'SIGKILL', `nothing passes ${point}`)
      // what was on its way may still be read by the server
      if (point === 'smtp.sent:after') while ((await newest(there)).arrived === 0) await turn()
      await there.restart()
      const after = await newest(there)
      assert.deepEqual([point, after.state, after.arrived], [point, state, arrived])
      if (state === 'unknown') assert.match(after.reason!, /look whether it arrived/)
    }
    await checkAll(there)
  })

  test('server and releaser die anywhere, again and again', { timeout: 420_000 }, async (t) => {
    const there = await post(t)
    let deaths = 0
    for (let life = 0; life < 12; life += 1) {
      await there.outbox.propose({ ...aMail, subject: `mail ${life}` }, { connector: 'smtp' })
      const step = smtpSteps[Math.floor(Math.random() * smtpSteps.length)]!
      there.server.misbehave(step, Math.random() < 0.5 ? 'drop' : { code: Math.random() < 0.5 ? 451 : 554 })
      if (life % 4 === 3) await there.server.down()
      deaths += (await ended(there.start('*=0.04'))) === 'SIGKILL' ? 1 : 0
      await there.server.up()
      there.outbox.clock.advance(later)
    }
    // who died before he came to it left that misbehaviour for later, and one mail could meet them all
    there.server.behave()
    for (let round = 0; round < 4; round += 1) await there.restart()
    t.diagnostic(`${deaths} deaths, ${there.server.received.length} mails arrived`)
    await checkAll(there)
  })
})
