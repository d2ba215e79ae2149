import type { SecretSource } from '../../house/index.ts'
import { openAge } from './age.ts'
import { openVault } from './ansible-vault.ts'
import { openFile } from './file.ts'
import { openKeychain } from './keychain.ts'
import { openOp } from './op.ts'
import { openSops } from './sops.ts'
import type { OpenSource, SourceDeps } from './source.ts'
import { openCredential } from './systemd.ts'

/** The source that a house names; undefined for what Castellan makes, which is at home where it is rendered. */
export function openSource(source: SecretSource, deps: SourceDeps): OpenSource | undefined {
  switch (source.from) {
    case 'made':
      return undefined
    case 'file':
      return openFile(source)
    case 'systemd':
      return openCredential(source, deps)
    case 'op':
      return openOp(source, deps)
    case 'sops':
      return openSops(source, deps)
    case 'age':
      return openAge(source, deps)
    case 'keychain':
      return openKeychain(source, deps)
    case 'ansible-vault':
      return openVault(source, deps)
  }
}
