export { declareHouse, lastGoodHouse, recordProblems } from './declare-house.ts'
export { createRunOpener, type OpenOutcome, type OpenRequest } from './open-run.ts'
export { createScheduler, type Scheduler } from './scheduler.ts'
export { startWorker, type Worker } from './worker.ts'
