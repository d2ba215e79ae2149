export { createGateApp, type GateDeps, type Surface } from './app.ts'
export { createInFlight, type InFlight } from './in-flight.ts'
