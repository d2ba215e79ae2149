export { readMailboxAct, textOfMailboxAct } from './compose/mailbox-act.ts'
export { challengeOf, readDocument, sha256, type DraftDocument } from './document.ts'
export { createIdentity, listIdentities, loadIdentity, type OperatorIdentity } from './operator-identity.ts'
