export { executeRun, type ExecuteDeps, type StepCall, type StepOutput } from './execute-run.ts'
export {
  advanceRun,
  claimRuns,
  lostFences,
  recoverRuns,
  type AdvanceOutcome,
  type Claim,
  type ClaimOutcome,
  type QueueName,
} from './run-store.ts'
