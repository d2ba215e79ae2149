export { executeRun, type ExecuteDeps, type StepCall, type StepOutput } from './execute-run.ts'
export { flushLedger } from './flush-ledger.ts'
export {
  advanceRuns,
  claimRuns,
  lostFences,
  recoverRuns,
  type Advance,
  type AdvanceOutcome,
  type Claim,
  type ClaimOutcome,
  type QueueName,
} from './run-store.ts'
