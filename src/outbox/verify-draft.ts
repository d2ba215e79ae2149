import { Fault } from '../kernel/fault.ts'
import type { Connector } from './connectors/connector.ts'
import type { Connectors } from './connectors/connectors.ts'
import { readDocument, sha256, type DraftDocument } from './document.ts'
import type { Draft } from './draft.ts'

export interface Checked {
  readonly document: DraftDocument
  readonly connector: Connector
}

/**
 * Is there a way out for what is stored, the one that the document names?
 * @throws Fault `draft.altered`, `draft.document`, `draft.connector`
 */
export function checkDraft(draft: Draft, connectors: Connectors): Checked {
  const document = checkStored(draft)
  const connector = connectors.find(document.connector.name)
  if (!connector) throw unsendable(`there is no connector ${document.connector.name} any more`)
  if (connector.kind !== document.connector.kind || connector.account !== document.account) {
    throw unsendable(`connector ${connector.name} leads elsewhere now (${connector.kind}, ${connector.account}); the draft names ${document.connector.kind}, ${document.account}`)
  }
  const refusal = connectors.refusal(connector)
  if (refusal) throw unsendable(refusal)
  return { document, connector }
}

/**
 * Does the row still say what its document says, and does the document name these bytes? Everything is computed anew from
 * what the database holds now.
 * @throws Fault `draft.altered`, `draft.document`
 */
export function checkStored(draft: Draft): DraftDocument {
  const document = readDocument(draft.document)
  const rowSays = [
    draft.id, draft.nonce, draft.kind, draft.connector, draft.account, draft.risk, draft.replaces, draft.proposalId,
    draft.frozenAt.toISOString(), draft.expiresAt.toISOString(), draft.notBefore?.toISOString() ?? null, draft.label.level, draft.label.integrity, ...draft.label.lanes,
  ]
  const documentSays = [
    document.id, document.nonce, document.kind, document.connector.name, document.account, document.risk, document.replaces, document.origin.proposal,
    document.frozen_at, document.expires_at, document.not_before, document.label.level, document.label.integrity, ...document.label.lanes,
  ]
  if (JSON.stringify(rowSays) !== JSON.stringify(documentSays)) throw altered('the row does not say what its document says')
  if (draft.wire.length !== document.wire.length || sha256(draft.wire) !== document.wire.sha256) throw altered('the stored bytes are not those that the document names')
  return document
}

function altered(what: string): Fault {
  return new Fault('refused', 'draft.altered', `${what}: it was altered after the freeze, and can only be denied`)
}

function unsendable(what: string): Fault {
  return new Fault('refused', 'draft.connector', what)
}
