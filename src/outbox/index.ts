export { challengeOf, readDocument, sha256, type DraftDocument } from './document.ts'
export { linksIn, type Link } from './links.ts'
export { createIdentity, listIdentities, loadIdentity, type OperatorIdentity } from './operator-identity.ts'
