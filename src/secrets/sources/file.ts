import { readPrivateFile, rewriteFile } from '../private-file.ts'
import { toValue } from '../secret-value.ts'
import type { OpenSource } from './source.ts'

/** Another file of the operator's, e.g. on a disk that is mounted for it. */
export function openFile({ file }: { readonly file: string }): OpenSource {
  const place = `file ${file}`
  return {
    place,
    read: async () => toValue(readPrivateFile(file), place),
    write: async (value) => rewriteFile(file, `${value}\n`),
  }
}
