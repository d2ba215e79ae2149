import type { CaldavConnectorSettings, ConnectorBase, FilesConnectorSettings, GitConnectorSettings, GithubConnectorSettings, HttpConnectorSettings, ListmonkConnectorSettings, MastodonConnectorSettings, ShellConnectorSettings, TelegramConnectorSettings, WebhookConnectorSettings } from './connector-settings.ts'
import type { SecretSource } from './secret-settings.ts'
import type { ExposeSettings } from './check-expose.ts'
import type { Label, Zone } from '../../labels/index.ts'
import type { ShellRule } from '../../sandbox/index.ts'
import type { SourceSettings } from './source-settings.ts'

/** castellan.yaml with every default filled in, durations in milliseconds, paths absolute. */
export interface Settings {
  readonly name: string
  /** IANA; schedules without one of their own use it. */
  readonly timezone: string
  /** 0: any free port. */
  readonly ports: { readonly server: number; readonly releaser: number; readonly gateLocal: number; readonly gateCloud: number; /** Null: no webhook is declared. */ readonly webhooks: number | null }
  readonly database: DatabaseSettings
  readonly isolation: { readonly acceptDemonstration: boolean }
  readonly models: { readonly upstreams: readonly Upstream[]; readonly routes: Readonly<Record<string, readonly RouteTarget[]>> }
  readonly routing: RoutingSettings
  readonly batches: BatchSettings
  readonly spending: SpendingSettings
  readonly folders: readonly FolderSettings[]
  readonly mail: { readonly accounts: readonly MailAccount[] }
  readonly webhooks: readonly WebhookSettings[]
  readonly secrets: readonly SecretSource[]
  readonly outbox: OutboxSettings
  /** Where drafts are signed in a browser. Null: at localhost on the releaser's port; the host of the origin. */
  readonly signing: { readonly origin: string | null; readonly rpId: string | null }
  /** Null: from this machine only. */
  readonly exposed: ExposeSettings | null
  readonly shell: { readonly allow: readonly string[]; readonly rules: readonly ShellRule[] }
  readonly sources: readonly SourceSettings[]
  readonly retention: RetentionSettings
  readonly telemetry: { readonly traces: TraceSettings | null }
}

/** The name of a secret; the value is never in the house. */
export interface SecretReference {
  readonly secret: string
}

export const databaseUsers = ['owner', 'server', 'releaser', 'gateLocal', 'gateCloud', 'workerOpen', 'workerPrivate', 'listener', 'reader'] as const
export type DatabaseUser = (typeof databaseUsers)[number]
/** Only needed where something is declared for them. */
export type OptionalUser = 'listener' | 'reader'

export type DatabaseSettings =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'urls'
      /** Where it stands; the database holds everything, so only a machine of one's own will do. */
      readonly zone: 'machine'
      /** Without passwords, or as secrets. */
      readonly urls: Readonly<Record<Exclude<DatabaseUser, OptionalUser>, string | SecretReference> & Partial<Record<OptionalUser, string | SecretReference>>>
    }

export interface Upstream {
  readonly name: string
  readonly kind: 'ollama' | 'openai' | 'openai-responses' | 'anthropic' | 'gemini' | 'mistral' | 'moonshot'
  readonly url: string
  readonly zone: Zone
  /** Another machine that castellan.yaml says is the operator's own; it counts as one of the mesh until he has signed that. */
  readonly own?: true
  readonly key?: SecretReference
}

export interface TraceSettings {
  readonly url: string
  readonly zone: Zone
  /** With what was asked and answered. */
  readonly content: boolean
  readonly authorization?: SecretReference
}

export interface RouteTarget {
  readonly upstream: string
  /** `auto`: the first model that the upstream has. */
  readonly model: string
}

/** How a call gets through; durations in milliseconds. */
export interface RoutingSettings {
  readonly retry: { readonly tries: number; readonly longestWaitMs: number }
  readonly breaker: { readonly failures: number; readonly restMs: number }
  /** By upstream. */
  readonly limits: Readonly<Record<string, LimitSettings>>
  /** Null: no answer is kept. */
  readonly cache: CacheSettings | null
}

/** What one upstream may be asked, at most, in any minute, hour or day. */
export interface LimitSettings {
  readonly requests: Amounts
  /** Of input and output together. */
  readonly tokens: Amounts
  /** Calls at the same time. */
  readonly concurrent?: number | undefined
  /** That a call waits for room. */
  readonly waitMs: number
  /** `next`: a call that another model of its route could answer does not wait. */
  readonly whenFull: 'wait' | 'next'
}

type Amounts = Readonly<Partial<Record<'minute' | 'hour' | 'day', number | undefined>>>

export interface CacheSettings {
  readonly keepMs: number
  readonly bytes: number
  /** Undefined: of all. */
  readonly tasks?: readonly string[] | undefined
}

/** How a gate works on what programs have sent in as files. */
export interface BatchSettings {
  /** Lines at the same time. */
  readonly concurrent: number
  /** Null: at any time. */
  readonly hours: DayHours | null
}

/** A part of each day, in minutes from midnight; it may go on past midnight. */
export interface DayHours {
  readonly from: number
  readonly to: number
}

/** What cloud models may cost. */
export interface SpendingSettings {
  readonly budgets: readonly Budget[]
  /** By `upstream/model` or `model`; a `*` at the end stands for any rest. */
  readonly prices: Readonly<Record<string, ModelPrice>>
  /** Millionths of a euro for a dollar. */
  readonly microEurPerUsd: number
  readonly allowUnknownPrice: boolean
}

/** A ceiling; every scope that is named must fit a call. */
export interface Budget {
  readonly per: 'day' | 'month'
  readonly eur: number
  readonly lane?: string | undefined
  readonly provider?: string | undefined
  readonly job?: string | undefined
  readonly agent?: string | undefined
  readonly key?: string | undefined
}

/** USD for a million tokens. */
export interface ModelPrice extends ModelRates {
  readonly above200k?: ModelRates | undefined
  readonly outputLimit?: number | undefined
}

interface ModelRates {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number | undefined
  readonly cacheWrite?: number | undefined
}

export interface FolderSettings {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly access: 'read' | 'write'
  /** Of what is read there, unless a rule of labels.yaml decides otherwise. */
  readonly label: Label
}

export type MailAccount = FolderAccount | ImapAccount

export interface FolderAccount extends MailAccountBase {
  readonly kind: 'folder'
  /** Absolute. */
  readonly path: string
}

export interface ImapAccount extends MailAccountBase {
  readonly kind: 'imap'
  readonly host: string
  readonly port: number
  /** `none` only for this machine. */
  readonly security: 'tls' | 'starttls' | 'none'
  readonly user: string
  readonly password: SecretReference
  /** As the server writes them. */
  readonly folders: readonly string[]
  /** Certificates as PEM: what the server shows has to be one of them, or signed by one. */
  readonly ca?: string
}

interface MailAccountBase {
  readonly name: string
  /** Of what arrives there; a stranger wrote it, so it is untrusted. Rules of labels.yaml raise it. */
  readonly label: Label
}

export type WebhookSettings = SignedWebhook | GumroadWebhook

export interface SignedWebhook extends WebhookBase {
  readonly kind: 'standard' | 'stripe' | 'github'
}

export interface GumroadWebhook extends WebhookBase {
  readonly kind: 'gumroad'
  /** By which sales are read. */
  readonly token: SecretReference
  readonly api: string
}

interface WebhookBase {
  readonly name: string
  /** Any of them will do. */
  readonly secrets: readonly SecretReference[]
  /** Types, or beginnings of types with a `*` behind; none: all. */
  readonly events: readonly string[]
  /** The largest body. */
  readonly bytes: number
  readonly perMinute: number
  /** Always untrusted. */
  readonly label: Label
}

export interface OutboxSettings {
  /** How long a signed draft can be undone. */
  readonly holdMs: number
  readonly expiryMs: { readonly mail: number; readonly highRisk: number; readonly default: number }
  readonly connectors: readonly Connector[]
  /** The connector that leads to the operator himself. */
  readonly tell?: string
  /** Added to the rules that are built in. */
  readonly risk: readonly RiskRule[]
}

export type Connector = FileConnectorSettings | SmtpConnectorSettings | ImapConnectorSettings | WebhookConnectorSettings | HttpConnectorSettings | TelegramConnectorSettings | FilesConnectorSettings | GitConnectorSettings | GithubConnectorSettings
  | ShellConnectorSettings | CaldavConnectorSettings | ListmonkConnectorSettings | MastodonConnectorSettings

export interface FileConnectorSettings extends ConnectorBase {
  readonly kind: 'file'
  /** Absolute. */
  readonly path: string
  /** The sender that composed messages show: `Name <address>` or an address. */
  readonly from: string
}

export interface SmtpConnectorSettings extends ConnectorBase {
  readonly kind: 'smtp'
  readonly host: string
  readonly port: number
  /** `none` only for this machine. */
  readonly security: 'tls' | 'starttls' | 'none'
  readonly user?: string
  readonly password?: SecretReference
  readonly from: string
  /** Certificates as PEM: what the server shows has to be one of them, or signed by one. */
  readonly ca?: string
  /** Where a copy of what was sent goes. */
  readonly sent?: { readonly account: ImapAccount; readonly folder: string }
}

export interface ImapConnectorSettings extends ConnectorBase {
  readonly kind: 'imap'
  /** The mailbox in which it moves messages and sets flags. */
  readonly account: ImapAccount
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
  readonly webhooksMs: number
  readonly sourcesMs: number
  readonly batchesMs: number
  readonly alertsMs: number
  readonly outboxMs: number
}
