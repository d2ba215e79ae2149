import { isAbsolute, join } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { readPrivateFile } from '../private-file.ts'
import { toValue } from '../secret-value.ts'
import type { OpenSource, SourceDeps } from './source.ts'

/** A credential that systemd has laid down for the unit that this runs in. Its modes are systemd's: it lies in memory, under an access list. */
export function openCredential({ credential }: { readonly credential: string }, { env }: SourceDeps): OpenSource {
  const place = `systemd credential ${credential}`
  return {
    place,
    async read() {
      const folder = env.CREDENTIALS_DIRECTORY
      if (folder === undefined || !isAbsolute(folder)) {
        throw new Fault('missing', 'secrets.credentials', `${place} is there only inside of its unit: write \`ExecStartPre=castellan secrets render\` and \`LoadCredentialEncrypted=${credential}\` into it`)
      }
      return toValue(readPrivateFile(join(folder, credential), () => {}), place)
    },
    instead: `encrypt the new value with \`systemd-creds encrypt --name=${credential} - FILE\`, start the unit again`,
  }
}
