import { join } from 'node:path'
import { Fault, toFault } from '../../kernel/fault.ts'
import { listIdentities, loadIdentity, type OperatorIdentity } from '../../outbox/index.ts'
import type { SocketClient } from '../connection/socket-client.ts'
import type { Asker } from '../terminal/ask.ts'

export interface KeyWish {
  /** The name of the key; without it the only key of the operator, else the demonstration key. */
  readonly name?: string | undefined
  readonly passphraseDescriptor?: number | undefined
}

export function operatorFolder(home: string): string {
  return join(home, 'operator')
}

/**
 * Opens the key that signs, asking for its passphrase where it has one. That a passphrase was wrong is told to the releaser: it is counted with the
 * other sign-ins that fail. Who copies the file and guesses elsewhere tells nobody.
 * @throws Fault `key.none`, `key.which`, `identity.passphrase`
 */
export async function openKey(home: string, ask: Asker, releaser: SocketClient, { name, passphraseDescriptor }: KeyWish): Promise<OperatorIdentity> {
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
  try {
    return await loadIdentity(folder, chosen.name, passphrase)
  } catch (error) {
    if (toFault(error).code === 'identity.passphrase') await releaser.post('/operator/wrong-passphrase').catch(() => {})
    throw error
  }
}
