import { Fault } from '../../kernel/fault.ts'
import { listIdentities } from '../../outbox/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { operatorFolder } from '../draft/choose-key.ts'
import { table } from '../terminal/table.ts'
import { moment, type Here } from '../terminal/wording.ts'

/** A key as the releaser lists it. */
export interface EnrolledKey {
  id: string
  kind: 'ed25519' | 'passkey' | 'session'
  name: string
  scope: string
  enrolled_at: string
  last_used_at: string | null
  revoked_at: string | null
  until: string | null
  passkey: string | null
  rp_id: string | null
}

export interface KeyLine extends Omit<EnrolledKey, 'enrolled_at'> {
  enrolled_at: string | null
  state: 'enrolled' | 'over' | 'revoked' | 'not enrolled' | 'unknown'
  /** Is its private half in the operator's folder here? */
  here: boolean
  /** Does it need a passphrase? Null where the key is not here. */
  sealed: boolean | null
}

/** Works without a running house too; then nobody knows which keys are enrolled. */
export async function listKeys({ home, here, releaser }: Invocation): Promise<Outcome> {
  const inFolder = await listIdentities(operatorFolder(home))
  const enrolled = await releaser().then((client) => client.get<EnrolledKey[]>('/keys')).catch((error: unknown) => {
    if (error instanceof Fault && error.kind === 'unavailable') return undefined
    throw error
  })
  const nothing = { kind: 'ed25519', enrolled_at: null, last_used_at: null, revoked_at: null, until: null, passkey: null, rp_id: null } as const
  const mine = inFolder.map(({ id, name, scope, sealed }): KeyLine => {
    const key = enrolled?.find((one) => one.id === id)
    return { ...nothing, ...key, id, name, scope, state: enrolled === undefined ? 'unknown' : stateOf(key, here), here: true, sealed }
  })
  const others = (enrolled ?? []).filter(({ id }) => !inFolder.some((key) => key.id === id)).map((key): KeyLine => ({ ...key, state: stateOf(key, here), here: false, sealed: null }))
  return outcome([...mine, ...others], (keys, terminal) => keys.length === 0
    ? 'There is no key yet: castellan operator enroll --passkey enrols one in a browser, castellan operator init makes one for this terminal.'
    : table(terminal, ['NAME', 'ID', 'WHAT IT IS', 'STATE', 'ENROLLED', 'LAST USED'], keys.map((key) => [
        key.name, key.id, describe(key, here), key.revoked_at === null ? key.state : `revoked ${moment(key.revoked_at, here)}`, time(key.enrolled_at, here), time(key.last_used_at, here),
      ])))
}

function stateOf(key: EnrolledKey | undefined, { now }: Here): KeyLine['state'] {
  if (key === undefined) return 'not enrolled'
  if (key.revoked_at !== null) return 'revoked'
  return key.until !== null && Date.parse(key.until) <= now.getTime() ? 'over' : 'enrolled'
}

function describe(key: KeyLine, here: Here): string {
  if (key.kind === 'passkey') return `passkey for ${key.rp_id}`
  if (key.kind === 'session') return `session of ${key.passkey} until ${time(key.until, here)}`
  const where = !key.here ? 'elsewhere' : key.sealed ? 'here, sealed by a passphrase' : 'here, in the open'
  return key.scope === 'demonstration' ? `demonstration key, for files only, ${where}` : `key of the terminal, ${where}`
}

function time(at: string | null, here: Here): string {
  return at === null ? '–' : moment(at, here)
}
