import { Fault } from '../kernel/fault.ts'
import { mayLeave } from '../labels/index.ts'
import type { Connector } from './connectors/connector.ts'
import type { Connectors } from './connectors/connectors.ts'
import { challengeOf, readDocument, sha256, type DraftDocument } from './document.ts'
import type { Draft } from './draft.ts'
import { scopeRefusal, type OperatorKeys } from './operator-keys.ts'
import { verifySignature } from './signature.ts'

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
    draft.frozenAt.toISOString(), draft.expiresAt.toISOString(), draft.label.level, draft.label.integrity, ...draft.label.lanes,
  ]
  const documentSays = [
    document.id, document.nonce, document.kind, document.connector.name, document.account, document.risk, document.replaces, document.origin.proposal,
    document.frozen_at, document.expires_at, document.label.level, document.label.integrity, ...document.label.lanes,
  ]
  if (JSON.stringify(rowSays) !== JSON.stringify(documentSays)) throw altered('the row does not say what its document says')
  if (draft.wire.length !== document.wire.length || sha256(draft.wire) !== document.wire.sha256) throw altered('the stored bytes are not those that the document names')
  return document
}

/**
 * Is this the signature of an enrolled key that may release this draft?
 * @throws Fault `draft.key`, `draft.signature`, `draft.label`
 */
export async function checkSignature(draft: Draft, { document, connector }: Checked, keyId: string, signature: Uint8Array, keys: OperatorKeys): Promise<void> {
  const key = await keys.find(keyId)
  if (!key) throw new Fault('refused', 'draft.key', `key ${keyId} is not enrolled here; enrol it with \`castellan operator\` on this machine`)
  const outOfScope = scopeRefusal(key, document.connector.kind)
  if (outOfScope) throw new Fault('refused', 'draft.key', outOfScope)
  const challenge = challengeOf(draft.document)
  if (!verifySignature(key.public_key, challenge, signature)) {
    throw new Fault('refused', 'draft.signature', `the signature by key ${keyId} does not verify: it was made over something else than draft ${draft.id} as it is stored`)
  }
  const recipients = [...document.recipients.to, ...document.recipients.cc, ...document.recipients.bcc]
  const act = { keyId, method: 'ed25519', signature, documentHash: challenge.toString('hex'), label: document.label, recipients } as const
  if (connector.zone !== 'machine' && !mayLeave(document.label, recipients, act)) {
    throw new Fault('refused', 'draft.label', 'P3 local only leaves this machine by passkey only, and this key is none')
  }
}

function altered(what: string): Fault {
  return new Fault('refused', 'draft.altered', `${what}: it was altered after the freeze, and can only be denied`)
}

function unsendable(what: string): Fault {
  return new Fault('refused', 'draft.connector', what)
}
