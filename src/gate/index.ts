export { createGateApp, type GateDeps, type Surface } from './app.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { createInFlight, type InFlight } from './in-flight.ts'
export { openBatches } from './batches/open-batches.ts'
