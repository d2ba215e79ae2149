import { createPrivateKey, type KeyObject } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { createManualClock } from '../../src/kernel/clock.ts'
import { connect, type Connection } from '../../src/kernel/database/connect.ts'
import { armFaultPoints } from '../../src/kernel/fault-point.ts'
import type { Connector as ConnectorSettings, OutboxSettings } from '../../src/house/index.ts'
import type { OutboxDeps } from '../../src/outbox/change.ts'
import type { Connector } from '../../src/outbox/connectors/connector.ts'
import { createConnectors, openConnector } from '../../src/outbox/connectors/connectors.ts'
import { createFileConnector } from '../../src/outbox/connectors/file.ts'
import { createSmtpConnector, type SmtpConnectorOptions } from '../../src/outbox/connectors/smtp.ts'
import { decideDraft } from '../../src/outbox/decide-draft.ts'
import { challengeOf, readDocument } from '../../src/outbox/document.ts'
import { findDraft, listDrafts } from '../../src/outbox/draft-queries.ts'
import { editDraft } from '../../src/outbox/edit-draft.ts'
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
  /** A mail server instead of the folder. */
  readonly smtp?: SmtpConnectorOptions
  /** A connector as it is declared, and its secrets. */
  readonly declared?: { readonly connector: ConnectorSettings; readonly secrets: Readonly<Record<string, string>> }
  /** Changes each first draft once before signing it. */
  readonly edit?: boolean
}

/** Starts, and does all there is to do, until the hold is over and every signed draft released. */
export async function releaserLife(
  deps: OutboxDeps, clock: { advance(milliseconds: number): void }, key: { id: string; privateKey: KeyObject }, { undo = false, edit = false } = {},
): Promise<void> {
  await recoverDrafts(deps)
  await freezeProposals(deps)
  for (const { id, replaces } of edit ? await listDrafts(deps.database.pool, { states: ['waiting'], limit: 100 }) : []) {
    if (replaces !== null) continue
    const { document } = (await findDraft(deps.database.pool, id))!
    const { recipients, title } = readDocument(document)
    await editDraft(deps, id, { challenge: challengeOf(document).toString('hex'), recipients, subject: title, text: 'edited' })
  }
  for (let round = 0; round < 2; round += 1) {
    for (const { id } of await listDrafts(deps.database.pool, { states: ['waiting'], limit: 100 })) {
      const { document, replaces } = (await findDraft(deps.database.pool, id))!
      await decideDraft(deps, id, { verdict: 'approve', keyId: key.id, signature: signChallenge(key.privateKey, challengeOf(document)) })
      if (undo && replaces === null) await undoDraft(deps, id)
    }
  }
  clock.advance(deps.settings().holdMs)
  await releaseDrafts(deps)
}

/** The connector `file`, with a line in `deliveries` for each time that it puts a mail down. */
export function countedConnector(folder: string, outgoing: string): Connector {
  const file = createFileConnector({ name: 'file', path: outgoing, from: 'Haus <haus@example.org>' })
  return {
    ...file,
    deliver: (wire, document, signal, commit) =>
      file.deliver(wire, document, signal, async () => {
        await commit()
        appendFileSync(join(folder, 'deliveries'), `${document.origin.item}\n`)
      }),
  }
}

function connectorOf({ smtp, declared, folder, outgoing }: ReleaserTask): Connector {
  if (declared) return openDeclared(declared, folder)
  return smtp ? createSmtpConnector(smtp) : countedConnector(folder, outgoing)
}

export function openDeclared({ connector, secrets }: NonNullable<ReleaserTask['declared']>, folder: string): Connector {
  return openConnector(connector, { secrets, folder, entranceOf: () => { throw new Error('there is no mailbox') } })
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2]!) as ReleaserTask
  const clock = createManualClock(new Date(task.now))
  const database = connect(task.connection)
  const deps = {
    database, clock, log: pino({ level: 'silent' }), keys: openOperatorKeys(task.folder), spent: await openSpentNonces(task.folder), settings: () => task.settings,
    site: () => ({ origin: 'http://localhost:7401', rpId: 'localhost' }),
    connectors: () => createConnectors([connectorOf(task)], { demonstration: false, accepted: false }),
  }
  armFaultPoints(task.faultPoints)
  await releaserLife(deps, clock, { id: task.key.id, privateKey: createPrivateKey(task.key.pem) }, task)
  await deps.spent.close()
  await database.close()
}
