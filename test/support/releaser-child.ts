import { createPrivateKey } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { createManualClock } from '../../src/kernel/clock.ts'
import { connect, type Connection } from '../../src/kernel/database/connect.ts'
import { armFaultPoints } from '../../src/kernel/fault-point.ts'
import type { OutboxSettings } from '../../src/house/index.ts'
import { createConnectors } from '../../src/outbox/connectors/connectors.ts'
import { createFileConnector } from '../../src/outbox/connectors/file.ts'
import { decideDraft } from '../../src/outbox/decide-draft.ts'
import { challengeOf } from '../../src/outbox/document.ts'
import { findDraft, listDrafts } from '../../src/outbox/draft-queries.ts'
import { freezeProposals } from '../../src/outbox/freeze-proposal.ts'
import { openOperatorKeys } from '../../src/outbox/operator-keys.ts'
import { recoverDrafts } from '../../src/outbox/recover-drafts.ts'
import { releaseDrafts } from '../../src/outbox/release-drafts.ts'
import { signChallenge } from '../../src/outbox/signature.ts'
import { openSpentNonces } from '../../src/outbox/spent-nonces.ts'
import { undoDraft } from '../../src/outbox/undo-draft.ts'

/** What a releaser does in its life, from start to the last release, in a process that may be killed anywhere. */
export interface ReleaserTask {
  readonly connection: Connection
  readonly folder: string
  readonly outgoing: string
  readonly settings: OutboxSettings
  readonly key: { readonly id: string; readonly pem: string }
  readonly now: string
  readonly faultPoints?: string
  /** Takes each first approval back once. */
  readonly undo?: boolean
}

const task = JSON.parse(process.argv[2]!) as ReleaserTask
const clock = createManualClock(new Date(task.now))
const database = connect(task.connection)
const privateKey = createPrivateKey(task.key.pem)
const file = createFileConnector({ name: 'file', path: task.outgoing, from: 'Haus <haus@example.org>' })
const counted = {
  ...file,
  deliver: (...args: Parameters<typeof file.deliver>) => {
    appendFileSync(join(task.folder, 'deliveries'), `${args[1].origin.item}\n`)
    return file.deliver(...args)
  },
}
const deps = {
  database, clock, log: pino({ level: 'silent' }), keys: openOperatorKeys(task.folder), spent: await openSpentNonces(task.folder), settings: () => task.settings,
  connectors: () => createConnectors([counted], { demonstration: false, accepted: false }), wakeRun: async () => {},
}

armFaultPoints(task.faultPoints)
await recoverDrafts(deps)
await freezeProposals(deps)
for (let round = 0; round < 2; round += 1) {
  for (const { id } of await listDrafts(database.pool, { states: ['waiting'], limit: 100 })) {
    const { document, replaces } = (await findDraft(database.pool, id))!
    await decideDraft(deps, id, { verdict: 'approve', keyId: task.key.id, signature: signChallenge(privateKey, challengeOf(document)) })
    if (task.undo && replaces === null) await undoDraft(deps, id)
  }
}
clock.advance(task.settings.holdMs)
await releaseDrafts(deps)
await deps.spent.close()
await database.close()
