import type { Claim } from './run-store.ts'

/** The roots that a job's expressions may name. */
export interface StepScope {
  readonly steps: Record<string, { state: string; output: unknown }>
  readonly input: Record<string, unknown>
  readonly slot: string
  readonly now: string
  readonly job: { name: string; summary: string }
  readonly run: { id: string; lane: string }
  readonly prompts: Record<string, string>
  readonly [root: string]: unknown
}

/** The scope of a claimed run: outputs of finished steps come from the ledger, `now` stays the same for the whole run. */
export function stepScope(claim: Claim, now: Date): StepScope {
  return {
    steps: { ...claim.steps },
    input: claim.input,
    slot: claim.slot,
    now: now.toISOString(),
    job: { name: claim.job, summary: claim.definition.summary },
    run: { id: claim.run, lane: claim.lane },
    prompts: claim.definition.prompts,
  }
}
