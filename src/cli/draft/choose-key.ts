import { join } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { listIdentities, loadIdentity, type OperatorIdentity } from '../../outbox/index.ts'
import type { Asker } from '../terminal/ask.ts'

export interface KeyWish {
  /** The name of the key; without it the only key of the operator, else the demonstration key. */
  readonly name?: string | undefined
  readonly passphraseDescriptor?: number | undefined
}

export function operatorFolder(home: string): string {
  return join(home, 'operator')
}

/** Opens the key that signs, asking for its passphrase where it has one. @throws Fault `key.none`, `key.which`, `identity.passphrase` */
export async function openKey(home: string, ask: Asker, { name, passphraseDescriptor }: KeyWish): Promise<OperatorIdentity> {
  const folder = operatorFolder(home)
  const known = await listIdentities(folder)
  const own = known.filter((key) => key.scope === 'operator')
  const candidates = name !== undefined ? known.filter((key) => key.name === name) : own.length > 0 ? own : known
  if (candidates.length > 1) {
    throw new Fault('invalid', 'key.which', `there is more than one key (${candidates.map((key) => key.name).join(', ')}); say which with --key NAME`)
  }
  const [chosen] = candidates
  if (chosen === undefined) {
    const what = name === undefined ? `there is no signing key in ${folder}` : `there is no key named ${name} in ${folder}`
    throw new Fault('missing', 'key.none', `${what}; make one with \`castellan operator init\`, then \`castellan operator enroll\``)
  }
  const passphrase = chosen.sealed ? await ask.secret(`Passphrase of key ${chosen.name}`, passphraseDescriptor) : undefined
  return loadIdentity(folder, chosen.name, passphrase)
}
