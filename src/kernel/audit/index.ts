export { readHeadFile, writeHeadFile, type KnownHead } from './head-file.ts'
export { sealAudit, type SealDeps, type SealOutcome } from './seal-audit.ts'
export { verifyAudit, verifyAuditSince, type Verified, type Verification, type VerifyDeps } from './verify-audit.ts'
