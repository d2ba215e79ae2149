import type { SecretKey } from '../../house/index.ts'
import { readPrivateFile } from '../private-file.ts'
import { toValue } from '../secret-value.ts'
import type { OpenSource, SourceDeps } from './source.ts'

interface SopsSource {
  readonly file: string
  readonly key: SecretKey
  readonly ageKeyFile?: string
}

const hints = [
  [/metadata not found/i, 'the file is not encrypted by sops; what stands in it in the clear is no secret any more'],
  [/MAC mismatch/i, 'the file was changed by something other than sops; take it from where it was whole'],
  [/component \[.*\] not found|not found in|key .* not found/i, 'there is no such key in the file; look at `key`'],
  [/no master key|could not decrypt|failed to get the data key|no identity matched/i, 'no key that is here opens the file: set age_key_file, or unlock the key that sops uses'],
  [/no such file|cannot operate on non-existent/i, 'the file is not there'],
  [/flag provided but not defined/i, 'this sops does not take a value over standard input; version 3.11 or later does'],
] as const

/** Where its keys are; never a key itself, which `SOPS_AGE_KEY` would be. */
const passes = /^(?:SOPS_AGE_KEY_FILE|SOPS_AGE_SSH_PRIVATE_KEY_FILE|GNUPGHOME|AWS_PROFILE|AWS_CONFIG_FILE|AWS_SHARED_CREDENTIALS_FILE|GOOGLE_APPLICATION_CREDENTIALS|VAULT_ADDR)$/

/** One value of a file that sops has encrypted. */
export function openSops({ file, key, ageKeyFile }: SopsSource, { run }: SourceDeps): OpenSource {
  const place = `sops file ${file}, ${key.join('.')}`
  const tree = key.map((part) => (typeof part === 'number' ? `[${part}]` : `["${part}"]`)).join('')
  const call = (args: readonly string[], input?: string) => {
    if (ageKeyFile !== undefined) readPrivateFile(ageKeyFile)
    return run({ program: 'sops', args, input, passes, hints, ...(ageKeyFile !== undefined && { environment: { SOPS_AGE_KEY_FILE: ageKeyFile } }) })
  }
  return {
    place,
    read: async () => toValue(await call(['--decrypt', '--extract', tree, file]), place),
    write: async (value) => void (await call(['set', '--value-stdin', file, tree], JSON.stringify(value))),
  }
}
