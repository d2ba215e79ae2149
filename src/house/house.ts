import type { DictionaryEntry, Label, Lane, Level } from '../labels/index.ts'
import type { AgentDefinition } from './agents/agent.ts'
import type { JobDefinition } from './jobs/job.ts'
import type { Settings } from './settings/settings.ts'

/** The operator's folder, validated as a whole. Plain JSON: it is sent to each process, so it holds names of secrets and never a secret. */
export interface House {
  /** Absolute. */
  readonly folder: string
  /** SHA-256 over the canonical JSON of everything else. */
  readonly digest: string
  readonly settings: Settings
  readonly lanes: readonly Lane[]
  readonly jobs: readonly JobDefinition[]
  readonly agents: readonly AgentDefinition[]
  readonly prompts: Readonly<Record<string, string>>
  readonly labelRules: readonly LabelRule[]
  /** Only the gates are told. */
  readonly dictionary: readonly DictionaryEntry[]
}

/** A row of the ingest table. A rule about a place decides; a rule about what a stranger wrote only raises. */
export type LabelRule = FolderRule | MailRule

export interface FolderRule {
  /** The name of a declared folder, and a path in it: `vault/public`. */
  readonly folder: string
  readonly label: Label
}

export interface MailRule {
  readonly source: 'mail'
  readonly account?: string
  /** Patterns with `*`, compared without regard to case. */
  readonly from?: string
  readonly to?: string
  readonly subject?: string
  readonly level: Level
}
