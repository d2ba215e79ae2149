import { parseDocument, type Document } from 'yaml'
import { Fault } from '../../kernel/fault.ts'
import type { SecretKey } from '../../house/index.ts'
import { readPrivateFile, rewriteFile } from '../private-file.ts'
import { toValue } from '../secret-value.ts'
import type { OpenSource, SourceDeps } from './source.ts'

interface VaultSource {
  readonly file: string
  readonly key?: SecretKey
  readonly passwordFile?: string
}

const hints = [
  [/decryption failed|no vault secrets were found that could decrypt/i, 'the password does not open this file'],
  [/is not vault encrypted|not a vault/i, 'the file is not encrypted; what stands in it in the clear is no secret any more'],
  [/does not exist|not found|no such file/i, 'the file, or that of the password, is not there'],
] as const

/** A file that ansible-vault has encrypted, or one value in it. */
export function openVault({ file, key, passwordFile }: VaultSource, { run, passphrases }: SourceDeps): OpenSource {
  const place = `ansible-vault file ${file}${key === undefined ? '' : `, ${key.join('.')}`}`
  // without a file ansible-vault asks a program for the password; cat hands on what comes in by standard input
  const password = ['--vault-password-file', passwordFile ?? '/bin/cat']
  const call = (args: readonly string[], input?: string) => {
    if (passwordFile !== undefined) readPrivateFile(passwordFile)
    return run({ program: 'ansible-vault', args, input, hints })
  }
  const view = async () => {
    const typed = passwordFile === undefined ? passphrases?.get(file) : undefined
    if (passwordFile === undefined && typed === undefined) throw new Fault('missing', 'secrets.passphrase', `${place} needs a password, and nobody can be asked here: name its file as password_file, or run this in a terminal`)
    return toValue(await call(['view', ...password, file], typed === undefined ? undefined : `${typed}\n`), place)
  }
  return {
    place,
    read: async () => (key === undefined ? view() : toValue(textAt(parse(await view(), place), key, place), place)),
    ...(passwordFile === undefined
      ? { instead: `change it with \`ansible-vault edit ${file}\`` }
      : {
          async write(value) {
            const document = key === undefined ? undefined : parse(await view(), place)
            if (key !== undefined) document!.setIn(key, value)
            rewriteFile(file, await call(['encrypt', ...password, '--output', '-', '-'], document === undefined ? `${value}\n` : document.toString()))
          },
        }),
  }
}

function textAt(document: Document, key: SecretKey, place: string): string {
  const found: unknown = document.getIn(key)
  if (typeof found === 'string' || typeof found === 'number') return String(found)
  throw new Fault('missing', 'secrets.key', `${place} is no text; look at \`key\``)
}

/** Without the words of the parser, which repeat the line that it could not read. */
function parse(text: string, place: string): Document {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' })
  if (document.errors.length > 0) throw new Fault('invalid', 'secrets.yaml', `${place} cannot be read as YAML; look at it with ansible-vault`)
  return document
}
