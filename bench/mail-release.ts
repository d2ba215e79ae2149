import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { systemClock } from '../src/kernel/clock.ts'
import type { Connection } from '../src/kernel/database/connect.ts'
import type { OutboxDeps } from '../src/outbox/change.ts'
import type { Connector } from '../src/outbox/connectors/connector.ts'
import { createConnectors } from '../src/outbox/connectors/connectors.ts'
import { createSmtpConnector } from '../src/outbox/connectors/smtp.ts'
import { decideDraft } from '../src/outbox/decide-draft.ts'
import { listDrafts } from '../src/outbox/draft-queries.ts'
import { freezeProposals } from '../src/outbox/freeze-proposal.ts'
import { openOperatorKeys } from '../src/outbox/operator-keys.ts'
import { releaseDrafts } from '../src/outbox/release-drafts.ts'
import { openSpentNonces } from '../src/outbox/spent-nonces.ts'
import { declareJobs, jobDefinition } from '../test/support/jobs.ts'
import { aMail, enrolKey, propose } from '../test/support/outbox.ts'
import { startSmtpServer } from '../test/support/smtp-server.ts'
import { castellanDatabase } from './castellan-database.ts'
import { middle, type Figure } from './figure.ts'

const drafts = 100
const holdMs = 0

/** From the signature that arrives to the row that says `released`: the mail server's part, and ours. The server is a real one on this machine, over TLS with a login. */
export async function measureRelease(database: Connection): Promise<Figure[]> {
  const { owner, as } = await castellanDatabase(database)
  const releaser = as('castellan_releaser', 6)
  const folder = mkdtempSync(join(tmpdir(), 'castellan-bench-'))
  const auth = { user: 'bench', password: 'secret' }
  const server = await startSmtpServer({ after: () => {} }, { security: 'tls', auth })
  const spent = await openSpentNonces(folder)
  try {
    const spans = { connector: 0, commit: 0 }
    const connector = timed(spans, createSmtpConnector({
      name: 'smtp', host: server.host, port: server.port, ca: server.ca, security: 'tls', from: 'bench@example.org', user: auth.user, password: { secret: 'bench', value: auth.password },
    }))
    const deps: OutboxDeps = {
      database: releaser, clock: systemClock, log: pino({ level: 'silent' }), keys: openOperatorKeys(folder), spent,
      site: () => ({ origin: 'http://localhost:7401', rpId: 'localhost' }),
      settings: () => ({ holdMs, expiryMs: { mail: 3_600_000, highRisk: 3_600_000, default: 3_600_000 }, connectors: [], risk: [] }),
      connectors: () => createConnectors([connector], { demonstration: false, accepted: false }),
    }
    const key = await enrolKey(deps, 'operator')
    await declareJobs(owner, [jobDefinition({ name: 'mail-job' })])
    for (let index = 0; index < drafts; index += 1) await propose(owner, { ...aMail, subject: `bench ${index}` }, { connector: 'smtp' })
    while ((await freezeProposals(deps)).frozen > 0) { /* the next fifty */ }
    const ours: number[] = []
    const theirs: number[] = []
    for (const { id, document } of await listDrafts(releaser.pool, { states: ['waiting'], limit: drafts })) {
      const signature = key.sign(document)
      spans.connector = spans.commit = 0
      const began = performance.now()
      await decideDraft(deps, id, { verdict: 'approve', keyId: key.id, signature })
      const { released } = await releaseDrafts(deps)
      const took = performance.now() - began
      if (released !== 1) throw new Error('a draft was not released')
      theirs.push(spans.connector - spans.commit)
      ours.push(took - theirs.at(-1)!)
    }
    if (server.received.length !== drafts) throw new Error(`${server.received.length} of ${drafts} mails arrived`)
    return [
      { name: 'decision to released by SMTP, without the mail server', unit: 'ms', ...middle(ours.slice(10)), target: { atMost: 50 } },
      { name: 'the mail server: TLS, login, message, answer', unit: 'ms', ...middle(theirs.slice(10)), target: { atMost: 1_000 } },
    ]
  } finally {
    await spent.close()
    await server.stop()
    await Promise.all([owner.close(), releaser.close()])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Spending the signature is our part, though the connector calls for it. */
function timed(spans: { connector: number; commit: number }, connector: Connector): Connector {
  return {
    ...connector,
    async deliver(wire, document, signal, commit) {
      const began = performance.now()
      try {
        return await connector.deliver(wire, document, signal, async () => {
          const asked = performance.now()
          await commit()
          spans.commit = performance.now() - asked
        })
      } finally {
        spans.connector = performance.now() - began
      }
    },
  }
}
