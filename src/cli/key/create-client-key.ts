import type { Level } from '../../labels/index.ts'
import type { SocketClient } from '../connection/socket-client.ts'

/** A key as the releaser lists it. */
export interface ClientKey {
  readonly id: string
  readonly name: string
  readonly gate: 'local' | 'cloud'
  readonly lane: string
  readonly max_level: Level
  readonly models: readonly string[]
  readonly made_at: string
  readonly expires_at: string | null
  readonly revoked_at: string | null
  /** An older copy of the database came back: it counts again after `castellan outbox resume`. */
  readonly waits?: boolean
  /** A day in UTC; null: not in the calls that are still kept. */
  readonly last_used_on: string | null
}

export interface MadeKey extends ClientKey {
  /** The key itself; nobody can tell it again. */
  readonly key: string
}

/** `lasts`: milliseconds, null until it is revoked. Faults: `client_key.taken`, `lane.missing`, `client_key.level`. */
export function createClientKey(client: SocketClient, wanted: Pick<ClientKey, 'name' | 'gate' | 'lane' | 'max_level' | 'models'> & { readonly lasts: number | null }): Promise<MadeKey> {
  return client.post<MadeKey>('/client-keys', wanted)
}
