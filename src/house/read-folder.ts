import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Problem } from './problem.ts'

/** A file of the house is written by hand; whatever is bigger than this was not. */
const maxBytes = 256 * 1024

export interface HouseFiles {
  /** Path relative to the house → text. */
  readonly texts: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

const folders = [
  { folder: 'jobs', ending: '.yaml' },
  { folder: 'agents', ending: '.yaml' },
  { folder: 'prompts', ending: '.liquid' },
] as const

/** Reads the text files that make up the house. Symbolic links and big files are refused; everything else on the disk is left alone. */
export function readHouseFolder(folder: string): HouseFiles {
  const texts = new Map<string, string>()
  const problems: Problem[] = []
  const complain = (file: string, what: string, instead: string, severity: Problem['severity'] = 'error') =>
    problems.push({ file, line: 0, column: 0, severity, what, instead })
  const read = (file: string, optional = false) => {
    const found = readText(join(folder, file))
    if ('text' in found) texts.set(file, found.text)
    else if (!(optional && found.missing)) complain(file, found.what, found.instead)
  }
  read('castellan.yaml')
  read('labels.yaml', true)
  read('dictionary.yaml', true)
  for (const { folder: name, ending } of folders) {
    for (const entry of listFolder(join(folder, name))) {
      const file = `${name}/${entry}`
      if (entry.endsWith(ending)) read(file)
      else if (/\.(ya?ml|liquid|json|txt)$/.test(entry)) complain(file, `this file is not read: files in ${name} end in ${ending}`, `rename it to ${entry.replace(/\.\w+$/, ending)}`, 'warning')
    }
  }
  return { texts, problems }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => !name.startsWith('.')).sort()
  } catch {
    return []
  }
}

function readText(path: string): { text: string } | { what: string; instead: string; missing: boolean } {
  try {
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) return refuse('this is a symbolic link', 'put the file itself here')
    if (!stat.isFile()) return refuse('this is not a file', 'put a text file here')
    if (stat.size > maxBytes) return refuse(`this file has ${stat.size} bytes, and a file of the house has at most ${maxBytes}`, 'keep data in a vault, and only configuration here')
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...refuse('this file is missing', 'make it, or make a new house with `castellan init FOLDER`'), missing: true }
    if (error instanceof TypeError) return refuse('this file is not UTF-8 text', 'save it as UTF-8')
    return refuse(`this file cannot be read: ${(error as Error).message}`, 'check its permissions')
  }
}

function refuse(what: string, instead: string): { what: string; instead: string; missing: boolean } {
  return { what, instead, missing: false }
}
