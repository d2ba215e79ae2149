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
}

export interface TelegramConnectorSettings extends ReachedByHttp {
  readonly kind: 'telegram'
  readonly chat: string
  readonly token: SecretReference
  /** Without `/` at the end. */
  readonly api: string
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
