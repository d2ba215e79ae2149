import { randomBytes } from 'node:crypto'
import { Fault, toFault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import type { OutboxSettings } from '../house/index.ts'
import { change, type OutboxDeps } from './change.ts'
import { join } from '../labels/index.ts'
import { compose } from './compose/compose.ts'
import type { Composed, Frame } from './compose/composed.ts'
import type { Connector } from './connectors/connector.ts'
import { addressesOf, challengeOf, documentVersion, itemOf, sha256, writeDocument } from './document.ts'
import { closeProposal, insertDraft, lockProposal, newProposals, strangersAmong, type NewDraft, type ProposalToFreeze } from './draft-store.ts'
import { findMirrored } from './find-mirrored.ts'
import { assessRisk, highRisk } from './risk.ts'
import { rollbackOf } from './rollback.ts'

const batch = 50

/** Freezes what workers proposed. A proposal that cannot be frozen is refused with its reason; one that the database did not take is tried again. */
export async function freezeProposals(deps: OutboxDeps): Promise<{ frozen: number; refused: number; more: boolean }> {
  const ids = await newProposals(deps.database.pool, batch)
  const count = { frozen: 0, refused: 0, more: ids.length === batch }
  for (const id of ids) {
    const outcome = await freezeProposal(deps, id)
    if (outcome !== 'gone') count[outcome] += 1
  }
  return count
}

/** Makes of one proposal a draft that can be signed. */
export async function freezeProposal(deps: OutboxDeps, id: string): Promise<'frozen' | 'refused' | 'gone'> {
  try {
    return await change(deps, 'draft.freeze', async ({ client, now, audit }) => {
      const proposal = await lockProposal(client, id)
      if (!proposal) return 'gone'
      const draft = await prepare(deps, proposal, now, { strangersOf: (addresses) => strangersAmong(client, addresses), messageOf: (message) => findMirrored(client, message) })
      await insertDraft(client, draft)
      await closeProposal(client, id, 'frozen')
      await audit('draft.frozen', draft.id, {
        proposal: id, kind: draft.kind, connector: draft.connector, sha256: sha256(draft.wire), challenge: challengeOf(draft.document).toString('hex'),
        risk: draft.risk, level: draft.label.level, expires_at: draft.expiresAt,
      })
      return 'frozen'
    })
  } catch (error) {
    if (mayPass(error)) throw error
    return refuse(deps, id, toFault(error))
  }
}

async function refuse(deps: OutboxDeps, id: string, fault: Fault): Promise<'refused' | 'gone'> {
  if (fault.kind === 'internal') deps.log.error({ err: fault, proposal: id }, 'a proposal could not be frozen')
  return change(deps, 'draft.refuse', async ({ client, audit, wake }) => {
    if (!(await lockProposal(client, id))) return 'gone'
    await closeProposal(client, id, 'refused', fault.message)
    await audit('draft.refused', id, { code: fault.code })
    await wake(id)
    return 'refused'
  })
}

/** An error that is the moment's and not the proposal's: of the connection, or of a database that stops, is full, or met a deadlock. */
function mayPass(error: unknown): boolean {
  if (error instanceof Fault) return error.kind === 'unavailable' || error.kind === 'timeout'
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return !/^(22|23|42|CA)/.test(code)
  return error instanceof Error && (typeof code === 'string' || /connection|terminated/i.test(error.message))
}

interface Known extends Required<Pick<Frame, 'messageOf'>> {
  strangersOf(addresses: readonly string[]): Promise<string[]>
}

async function prepare(deps: OutboxDeps, proposed: ProposalToFreeze, now: Date, { strangersOf, messageOf }: Known): Promise<NewDraft> {
  const settings = deps.settings()
  const connector = chooseConnector(deps, proposed)
  const item = itemOf(proposed)
  const before = deps.spent.released(item)
  if (before) {
    throw new Fault('refused', 'draft.released_before', `this was released on ${before.at} already, as draft ${before.draft}: the database was restored from before that`)
  }
  const id = newId(now.getTime())
  const nonce = newNonce()
  const composed = await compose(proposed.kind, proposed.payload, { id, nonce, at: now, from: connector.from, messageOf })
  const proposal = composed.label ? { ...proposed, label: join(proposed.label, composed.label) } : proposed
  const addresses = addressesOf(composed.recipients)
  const { risk, reasons } = assessRisk(
    {
      kind: proposal.kind, connector: connector.name, label: proposal.label, addresses,
      strangers: await strangersOf(addresses), hidden: composed.recipients.bcc.length, attachments: composed.attachments.length,
      title: composed.title, text: composed.text,
    },
    settings.risk,
  )
  const expiresAt = new Date(now.getTime() + expiryOf(settings, proposal.kind, risk))
  return {
    id, proposalId: proposal.id, replaces: null, kind: proposal.kind, connector: connector.name, account: connector.account,
    document: documentOf({ id, nonce, proposal, connector, composed, risk, reasons, item, now, expiresAt, holdMs: settings.holdMs }),
    wire: composed.wire, nonce, risk, frozenAt: now, expiresAt, label: proposal.label,
    summary: { title: composed.title, addresses },
  }
}

function chooseConnector(deps: OutboxDeps, proposal: ProposalToFreeze): Connector {
  const connectors = deps.connectors()
  const connector = connectors.find(proposal.connector)
  if (!connector) {
    throw new Fault('invalid', 'draft.connector', `there is no connector ${JSON.stringify(proposal.connector)}; declare it under outbox.connectors in castellan.yaml`)
  }
  if (!connector.accepts(proposal.kind)) throw new Fault('invalid', 'draft.kind', `connector ${connector.name} carries nothing of kind ${JSON.stringify(proposal.kind)}`)
  const refusal = connectors.refusal(connector)
  if (refusal) throw new Fault('refused', 'draft.connector', refusal)
  return connector
}

interface Parts {
  id: string; nonce: string; proposal: ProposalToFreeze; connector: Connector; composed: Composed
  risk: number; reasons: readonly string[]; item: string; now: Date; expiresAt: Date; holdMs: number
}

function documentOf({ id, nonce, proposal, connector, composed, risk, reasons, item, now, expiresAt, holdMs }: Parts): string {
  return writeDocument({
    version: documentVersion, id, nonce, kind: proposal.kind,
    connector: { name: connector.name, kind: connector.kind }, account: connector.account,
    title: composed.title, from: composed.from, recipients: composed.recipients, attachments: composed.attachments,
    wire: { sha256: sha256(composed.wire), length: composed.wire.length },
    rollback: rollbackOf(proposal.kind, connector.kind, holdMs, composed.undo), risk, reasons: [...reasons],
    label: { ...proposal.label, lanes: [...proposal.label.lanes] },
    origin: { proposal: proposal.id, job: proposal.job, run: proposal.run, step: proposal.step, item },
    replaces: null, frozen_at: now.toISOString(), expires_at: expiresAt.toISOString(),
  })
}

/** How long a draft of that kind and risk waits for its signature; in milliseconds. */
export function expiryOf({ expiryMs }: Pick<OutboxSettings, 'expiryMs'>, kind: string, risk: number): number {
  const usual = kind === 'mail' ? expiryMs.mail : expiryMs.default
  return risk >= highRisk ? Math.min(usual, expiryMs.highRisk) : usual
}

/** 256 random bits, in hex. */
export function newNonce(): string {
  return randomBytes(32).toString('hex')
}
