export { createFetchLedger } from './fetch-ledger.ts'
export { createFetches, type Fetches } from './fetches.ts'
