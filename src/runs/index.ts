export { executeRun, type ExecuteDeps, type StepCall, type StepOutput } from './execute-run.ts'
export { flushLedger } from './flush-ledger.ts'
export {
  advanceRuns,
  recoverRuns,
  releaseRun,
  takeRuns,
  touchRuns,
  type Advance,
  type AdvanceOutcome,
  type Claim,
  type LogLine,
  type QueueName,
  type StepResult,
} from './run-store.ts'
