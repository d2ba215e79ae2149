export { createSandbox } from './create-sandbox.ts'
export { runBounded } from './run-bounded.ts'
export type { HiddenPlace, Sandbox, SandboxResult, SandboxStatus } from './sandbox.ts'
