import type { ShellRule } from '../../sandbox/index.ts'
import type { FolderSettings, SecretReference } from './settings.ts'

/** What may leave through a connector in any hour, and in any 24. */
export interface ConnectorLimits {
  readonly hour?: number
  readonly day?: number
}

export interface ConnectorBase {
  readonly name: string
  readonly limits?: ConnectorLimits
}

/** Of what is reached by HTTP. */
interface ReachedByHttp extends ConnectorBase {
  /** May it be on a private network, or on this machine? */
  readonly private: boolean
  /** As PEM. */
  readonly ca?: string
}

export interface WebhookConnectorSettings extends ReachedByHttp {
  readonly kind: 'webhook'
  readonly url: string
  readonly secret: SecretReference
}

export interface HttpConnectorSettings extends ReachedByHttp {
  readonly kind: 'http'
  readonly url: string
  readonly methods: readonly ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[]
  readonly credential?: { readonly header: string; readonly prefix: string } & SecretReference
  /** Where a body says how much it spends: JSON pointers, and how many of the amount are one unit. */
  readonly spends?: { readonly amount: string; readonly per: number; readonly currency: string }
}

export interface TelegramConnectorSettings extends ReachedByHttp {
  readonly kind: 'telegram'
  readonly chat: string
  readonly token: SecretReference
  /** Without `/` at the end. */
  readonly api: string
}

export interface CaldavConnectorSettings extends ReachedByHttp {
  readonly kind: 'caldav'
  /** With `/` at the end. */
  readonly calendar: string
  readonly user: string
  readonly password: SecretReference
  /** An address, or `Name <address>`. */
  readonly organizer?: string
}

export interface MastodonConnectorSettings extends ReachedByHttp {
  readonly kind: 'mastodon'
  /** Without `/` at the end. */
  readonly instance: string
  /** Without @. */
  readonly account: string
  readonly token: SecretReference
}

export interface ListmonkConnectorSettings extends ReachedByHttp {
  readonly kind: 'listmonk'
  /** Without `/` at the end. */
  readonly url: string
  readonly user: string
  readonly token: SecretReference
  /** An address, or `Name <address>`. */
  readonly from: string
  /** Patterns with `*`. */
  readonly lists: readonly string[]
  readonly template?: number
}

export interface FilesConnectorSettings extends ConnectorBase {
  readonly kind: 'files'
  readonly folders: readonly Pick<FolderSettings, 'name' | 'path' | 'label'>[]
}

export interface GitConnectorSettings extends ReachedByHttp {
  readonly kind: 'git'
  /** Absolute. */
  readonly repository: string
  /** An absolute path, or an address. */
  readonly remote: string
  /** Patterns with `*`. */
  readonly branches: readonly string[]
  readonly user?: string
  readonly password?: SecretReference
}

export interface GithubConnectorSettings extends ReachedByHttp {
  readonly kind: 'github'
  /** `owner/name` */
  readonly repository: string
  /** Patterns with `*`. */
  readonly bases: readonly string[]
  readonly token: SecretReference
  /** Without `/` at the end. */
  readonly api: string
}

export interface ShellConnectorSettings extends ConnectorBase {
  readonly kind: 'shell'
  readonly folders: readonly Pick<FolderSettings, 'name' | 'path' | 'label'>[]
  /** Absolute paths. */
  readonly allow: readonly string[]
  readonly rules: readonly ShellRule[]
  readonly timeoutMs: number
}
