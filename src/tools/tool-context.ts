import type { Clock } from '../kernel/clock.ts'
import type { Label, Level } from '../labels/index.ts'
import type { Fallback } from './effect.ts'
import type { Files } from './files/files.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Mailbox } from './mail/mailbox.ts'
import type { Models } from './model/models.ts'
import type { Proposals } from './outbox/proposals.ts'
import type { Shell } from './shell/shell.ts'
import type { Sources } from './source/sources.ts'
import type { Events } from './webhook/events.ts'

/** The run on whose behalf a tool works. `fence` is what every write of it must show. */
export interface ToolRun {
  readonly id: string
  readonly job: string
  readonly lane: string
  readonly fence: string
  /** The highest level that its tools may read. */
  readonly readsUpTo: Level
  /** Alerts count as told with this run: who cannot tell may not pass over it. */
  readonly toldAlerts?: boolean
  /** As the database has it; what this step reads is added when the step is closed. */
  readonly label: Label
}

export type ToolLog = (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void

/** Everything that a tool can reach. What is not here, it cannot do. */
export interface ToolContext {
  readonly run: ToolRun
  readonly step: string
  readonly attempt: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly log: ToolLog
  /** The label of the run joined with all that this step has read so far. */
  label(): Label
  /** Joins a label in. Every port does it by itself for what it returns. */
  raise(label: Label): void
  readonly mailbox: Mailbox
  readonly events: Events
  readonly files: Files
  readonly models: Models
  readonly proposals: Proposals
  readonly ledger: Ledger
  readonly shell: Shell
  readonly sources: Sources
  /** Set when the step declares it and the tool can do it. */
  readonly fallback?: Fallback | undefined
  markMadeWithoutModel(): void
  wasMadeWithoutModel(): boolean
}
