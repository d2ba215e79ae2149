import type { Label, Zone } from '../../labels/index.ts'

/** castellan.yaml with every default filled in, durations in milliseconds, paths absolute. */
export interface Settings {
  readonly name: string
  /** IANA; schedules without one of their own use it. */
  readonly timezone: string
  /** 0: any free port. */
  readonly ports: { readonly server: number; readonly releaser: number; readonly gateLocal: number; readonly gateCloud: number }
  readonly database: DatabaseSettings
  readonly isolation: { readonly acceptDemonstration: boolean }
  readonly models: { readonly upstreams: readonly Upstream[]; readonly routes: Readonly<Record<string, readonly RouteTarget[]>> }
  readonly folders: readonly FolderSettings[]
  readonly mail: { readonly accounts: readonly MailAccount[] }
  readonly outbox: OutboxSettings
  /** Where drafts are signed in a browser. Null: at localhost on the releaser's port; the host of the origin. */
  readonly signing: { readonly origin: string | null; readonly rpId: string | null }
  readonly shell: { readonly allow: readonly string[] }
  readonly retention: RetentionSettings
}

/** The name of a secret; the value is never in the house. */
export interface SecretReference {
  readonly secret: string
}

export const databaseUsers = ['owner', 'server', 'releaser', 'gateLocal', 'gateCloud', 'workerOpen', 'workerPrivate'] as const
export type DatabaseUser = (typeof databaseUsers)[number]

export type DatabaseSettings =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'urls'
      /** Where it stands; the database holds everything, so only a machine of one's own will do. */
      readonly zone: 'machine'
      /** Without passwords, or as secrets. */
      readonly urls: Readonly<Record<DatabaseUser, string | SecretReference>>
    }

export interface Upstream {
  readonly name: string
  readonly kind: 'ollama' | 'openai'
  readonly url: string
  readonly zone: Zone
  readonly key?: SecretReference
}

export interface RouteTarget {
  readonly upstream: string
  /** `auto`: the first model that the upstream has. */
  readonly model: string
}

export interface FolderSettings {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly access: 'read' | 'write'
  /** Of what is read there, unless a rule of labels.yaml decides otherwise. */
  readonly label: Label
}

export interface MailAccount {
  readonly name: string
  readonly kind: 'folder'
  /** Absolute. */
  readonly path: string
  /** Of what arrives there; a stranger wrote it, so it is untrusted. Rules of labels.yaml raise it. */
  readonly label: Label
}

export interface OutboxSettings {
  /** How long a signed draft can be undone. */
  readonly holdMs: number
  readonly expiryMs: { readonly mail: number; readonly highRisk: number; readonly default: number }
  readonly connectors: readonly Connector[]
  /** Added to the rules that are built in. */
  readonly risk: readonly RiskRule[]
}

export interface Connector {
  readonly name: string
  readonly kind: 'file'
  /** Absolute. */
  readonly path: string
  /** The sender that composed messages show: `Name <address>` or an address. */
  readonly from: string
}

/** Every condition that is given must hold; of a list, one entry. */
export interface RiskRule {
  readonly when: {
    readonly kind?: string
    readonly connector?: string
    /** Words in subject or text, without regard to case. */
    readonly keywords?: readonly string[]
    /** Patterns with `*`. */
    readonly recipients?: readonly string[]
  }
  readonly add: number
  readonly reason: string
}

export interface RetentionSettings {
  readonly runLogMs: number
  readonly runsMs: number
  readonly mailMs: number
  readonly modelCallsMs: number
  readonly outboxMs: number
}
