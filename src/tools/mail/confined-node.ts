import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The program that reads mail, and what it may read of the disk: its own code and the libraries. */
export const mailReader = fileURLToPath(new URL('parse/parse-mail-child.ts', import.meta.url))
const manifest = fileURLToPath(new URL('../../../package.json', import.meta.url))
export const readable: readonly string[] = [dirname(mailReader), librariesOf('mailparser'), manifest]

/** Node without files, processes, threads, add-ons, inspector and code made of text. */
export function confinedNode(heapMegabytes: number): { readonly file: string; readonly options: readonly string[] } {
  return {
    file: process.execPath,
    options: [
      '--permission', ...readable.map((path) => `--allow-fs-read=${path === manifest ? path : `${path}${sep}`}`),
      '--disable-sigusr1', '--disallow-code-generation-from-strings', `--max-old-space-size=${heapMegabytes}`,
    ],
  }
}

function librariesOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name)
  const marker = `${sep}node_modules`
  return entry.slice(0, entry.indexOf(`${marker}${sep}`) + marker.length)
}
