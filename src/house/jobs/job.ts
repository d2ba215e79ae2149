import type { Label, Level } from '../../labels/index.ts'

/** What a run pins: the job with everything it refers to, as JSON. */
export interface JobDefinition {
  readonly name: string
  readonly summary: string
  readonly schedules: readonly Schedule[]
  /** One run for each event of it that is of these types; without types, of all. */
  readonly webhook?: { readonly name: string; readonly events: readonly string[] }
  /** One run for the security alerts that are new. */
  readonly alerts?: true
  readonly lane: string
  /** The label that a run starts with. */
  readonly label: Label
  /** The highest level that its tools may read. */
  readonly readsUpTo: Level
  readonly timeoutMs: number
  /** How often a step is tried, the first time included. */
  readonly tries: number
  readonly overlap: 'skip' | 'queue' | 'replace' | 'allow'
  readonly missed: 'skip' | 'latest' | 'all'
  /** A slot that is later than this was missed. */
  readonly graceMs: number
  readonly idempotencyKey?: string
  /** ISO 8601: slots count from then on, even when the job was declared later. */
  readonly since?: string
  readonly steps: readonly StepDefinition[]
  /** Only those that a step refers to. */
  readonly prompts: Readonly<Record<string, string>>
  /** SHA-256 over the canonical JSON of everything else. */
  readonly digest: string
}

export interface Schedule {
  readonly cron: string
  readonly timezone: string
}

export interface StepDefinition {
  readonly id: string
  /** The name of a tool. */
  readonly uses: string
  readonly with: Readonly<Record<string, unknown>>
  readonly if?: string
  readonly timeoutMs: number
  readonly fallback?: 'extractive'
}
