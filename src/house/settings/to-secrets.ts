import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { CastellanFile } from './castellan-file.ts'
import type { SecretSource } from './secret-settings.ts'
import { given } from './to-connector.ts'

type Declared = CastellanFile['secrets'][string]

/** The section `secrets` in the terms of the source. */
export function toSecrets(house: string, { secrets }: CastellanFile): SecretSource[] {
  return Object.entries(secrets).map(([name, declared]) => {
    const { rotate_every: everyMs, rotate_by: by, rotate_command: command, form } = declared
    return { name, everyMs, by: command ? { command } : declared.from === 'made' ? 'made' : by, form, ...toPlace(house, declared) }
  })
}

function toPlace(house: string, declared: Declared) {
  const at = (path: string) => secretPath(house, path)
  switch (declared.from) {
    case 'made':
      return { from: declared.from }
    case 'file':
      return { from: declared.from, file: at(declared.file) }
    case 'systemd':
      return { from: declared.from, credential: declared.credential }
    case 'op':
      return { from: declared.from, reference: declared.reference, ...given({ account: declared.account }) }
    case 'sops':
      return { from: declared.from, file: at(declared.file), key: declared.key, ...(declared.age_key_file !== undefined && { ageKeyFile: at(declared.age_key_file) }) }
    case 'age':
      return { from: declared.from, file: at(declared.file), identity: at(declared.identity), ...(declared.recipients !== undefined && { recipients: at(declared.recipients) }) }
    case 'keychain':
      return { from: declared.from, service: declared.service, ...given({ account: declared.account }) }
    case 'ansible-vault':
      return { from: declared.from, file: at(declared.file), ...given({ key: declared.key }), ...(declared.password_file !== undefined && { passwordFile: at(declared.password_file) }) }
  }
}

/** Keys and encrypted files lie where the operator keeps them, in the house or not; no tool reads them. */
export function secretPath(house: string, written: string): string {
  return resolve(house, written.startsWith('~/') ? join(homedir(), written.slice(2)) : written)
}
