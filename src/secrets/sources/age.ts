import { statSync } from 'node:fs'
import { readPrivateFile, requirePrivate, rewriteFile } from '../private-file.ts'
import { toValue } from '../secret-value.ts'
import type { OpenSource, SourceDeps } from './source.ts'

interface AgeSource {
  readonly file: string
  readonly identity: string
  readonly recipients?: string
}

const hints = [
  [/no identity matched/i, 'the identity does not open this file: name the one that it was encrypted for'],
  [/\/dev\/tty|standard input is not|passphrase/i, 'it asks for a passphrase, and nobody can be asked: use an identity without one, in a file that only you can read'],
  [/no such file/i, 'the file is not there'],
  [/malformed|unexpected intro|header|unknown identity|failed to read/i, 'the file or the identity is not one of age'],
] as const

/** A file that age has encrypted. The new one is encrypted by age and replaces the old as a whole. */
export function openAge({ file, identity, recipients }: AgeSource, { run }: SourceDeps): OpenSource {
  const place = `age file ${file}`
  const checked = () => readPrivateFile(identity, requirePrivate)
  return {
    place,
    async read() {
      checked()
      return toValue(await run({ program: 'age', args: ['--decrypt', '--identity', identity, file], hints }), place)
    },
    async write(value) {
      checked()
      statSync(file)
      const whom = recipients === undefined ? ['--identity', identity] : ['--recipients-file', recipients]
      rewriteFile(file, await run({ program: 'age', args: ['--encrypt', ...whom], input: `${value}\n`, hints }))
    },
  }
}
