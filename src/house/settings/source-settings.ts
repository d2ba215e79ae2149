import type { Label } from '../../labels/index.ts'
import type { SecretReference } from './settings.ts'

/** What is read from outside, by the process `reader` alone. */
export type SourceSettings = HttpSourceSettings | CommandSourceSettings

export interface HttpSourceSettings extends SourceBase {
  readonly kind: 'http'
  /** With `{name}` where a parameter goes. */
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  readonly credential?: { readonly header: string; readonly prefix: string } & SecretReference
  /** As PEM. */
  readonly ca?: string
}

export interface CommandSourceSettings extends SourceBase {
  readonly kind: 'command'
  /** The first is an absolute path; in the others `{name}` stands where a parameter goes. */
  readonly argv: readonly string[]
  /** The variable that tells the command where the file with the secret is. */
  readonly credential?: { readonly env: string } & SecretReference
  readonly network: readonly { readonly host: string; readonly port: number }[]
}

interface SourceBase {
  readonly name: string
  /** Of what is read; always untrusted. */
  readonly label: Label
  readonly format: 'json' | 'text' | 'bytes'
  /** The most that is read. */
  readonly bytes: number
  readonly timeoutMs: number
  /** A younger snapshot is not asked for anew. */
  readonly refreshMs: number
  /** An older one is not handed out unless somebody says so. */
  readonly maxAgeMs: number
  readonly limits: { readonly hour: number; readonly day: number }
  readonly params: readonly SourceParameter[]
  /** The highest label of a run that may say what the parameters are. */
  readonly paramsUpTo: 0 | 1
  /** May it be on a private network, or on this machine? */
  readonly private: boolean
}

export interface SourceParameter {
  readonly name: string
  /** One of these, or of a form. */
  readonly values?: readonly string[]
  readonly form?: 'id' | 'date' | 'number'
}
