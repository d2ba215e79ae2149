import { randomBytes } from 'node:crypto'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import type { OutboxSettings } from '../house/index.ts'
import { join } from '../labels/index.ts'
import type { OutboxDeps } from './change.ts'
import { ibansIn } from './bank-accounts.ts'
import { compose } from './compose/compose.ts'
import type { Composed, Frame } from './compose/composed.ts'
import type { Connector } from './connectors/connector.ts'
import { addressesOf, challengeOf, documentVersion, itemOf, sha256, writeDocument, type DraftDocument } from './document.ts'
import { answeredWords, ibansSentTo, strangersAmong, type NewDraft, type ProposalToFreeze, type Queryable } from './draft-store.ts'
import { findMirrored } from './find-mirrored.ts'
import { assessRisk, highRisk, isExposing } from './risk.ts'
import { rollbackOf } from './rollback.ts'

/** What is to be frozen: a proposal as the worker made it, or as the operator changed it. */
export interface Act extends ProposalToFreeze {
  /** The draft whose place it takes. */
  readonly replaces: string | null
  /** When the operator said that it may leave; a proposal says none. */
  readonly notBefore?: Date | null
}

/**
 * Composes an act, judges its risk, and writes the document that can be signed. The deadline counts from now.
 * @throws Fault `draft.connector`, `draft.kind`, and what the composer of its kind throws
 */
export async function prepareDraft(deps: Pick<OutboxDeps, 'settings' | 'connectors'>, query: Queryable, proposed: Act, now: Date): Promise<NewDraft> {
  const settings = deps.settings()
  const connector = chooseConnector(deps, proposed)
  const id = newId(now.getTime())
  const nonce = newNonce()
  const frame: Frame = { id, nonce, at: now, from: connector.from, messageOf: (message) => findMirrored(query, message) }
  const composed = await (connector.compose ?? compose)(proposed.kind, proposed.payload, frame)
  const proposal = composed.label ? { ...proposed, label: join(proposed.label, composed.label) } : proposed
  if (proposal.label.level === 3 && isExposing(proposal.kind)) throw new Fault('refused', 'draft.label', 'P3 local only leaves this machine only to recipients that are named, and nobody can name who reads this')
  const addresses = addressesOf(composed.recipients)
  const { risk, reasons } = assessRisk(
    {
      kind: proposal.kind, connector: connector.name, label: proposal.label, addresses,
      strangers: await strangersAmong(query, addresses), sentIbans: await ibansSentTo(query, addresses),
      answered: composed.answers === undefined ? [] : await answeredWords(query, composed.answers), hidden: composed.recipients.bcc.length, attachments: composed.attachments.length,
      title: composed.title, text: composed.text, findings: composed.findings ?? [],
    },
    settings.risk,
  )
  const expiresAt = new Date(now.getTime() + expiryOf(settings, proposal.kind, risk))
  return {
    id, proposalId: proposal.id, replaces: proposal.replaces, kind: proposal.kind, connector: connector.name, account: connector.account,
    document: documentOf({ id, nonce, proposal, connector, composed, risk, reasons, now, expiresAt, holdMs: settings.holdMs }),
    wire: composed.wire, nonce, risk, frozenAt: now, expiresAt, notBefore: proposal.notBefore ?? null, label: proposal.label,
    summary: summaryOf(composed.title, composed.recipients, composed.text),
  }
}

/** What later drafts are compared with; never shown for signing. */
export function summaryOf(title: string, recipients: DraftDocument['recipients'], text: string): NewDraft['summary'] {
  return { title, addresses: addressesOf(recipients), ibans: ibansIn(`${title}\n${text}`) }
}

function chooseConnector(deps: Pick<OutboxDeps, 'connectors'>, proposal: ProposalToFreeze): Connector {
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
  id: string; nonce: string; proposal: Act; connector: Connector; composed: Composed
  risk: number; reasons: readonly string[]; now: Date; expiresAt: Date; holdMs: number
}

function documentOf({ id, nonce, proposal, connector, composed, risk, reasons, now, expiresAt, holdMs }: Parts): string {
  return writeDocument({
    version: documentVersion, id, nonce, kind: proposal.kind,
    connector: { name: connector.name, kind: connector.kind }, account: connector.account,
    title: composed.title, from: composed.from, recipients: composed.recipients, attachments: composed.attachments,
    wire: { sha256: sha256(composed.wire), length: composed.wire.length },
    rollback: rollbackOf(proposal.kind, connector.kind, holdMs, composed.undo), risk, reasons: [...reasons],
    label: { ...proposal.label, lanes: [...proposal.label.lanes] },
    origin: { proposal: proposal.id, job: proposal.job, run: proposal.run, step: proposal.step, item: itemOf(proposal) },
    replaces: proposal.replaces, frozen_at: now.toISOString(), expires_at: expiresAt.toISOString(),
    not_before: proposal.notBefore?.toISOString() ?? null,
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

/** What the audit keeps of a draft that was frozen: names, hashes and numbers. */
export function frozenDetail(draft: NewDraft): Readonly<Record<string, unknown>> {
  return {
    proposal: draft.proposalId, kind: draft.kind, connector: draft.connector, sha256: sha256(draft.wire), challenge: challengeOf(draft.document).toString('hex'),
    risk: draft.risk, level: draft.label.level, expires_at: draft.expiresAt, ...(draft.replaces !== null && { replaces: draft.replaces }),
  }
}
