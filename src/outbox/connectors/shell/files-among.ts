import { lstat, realpath } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import { digestOfFile } from '../../../sandbox/index.ts'

const most = { files: 200, bytes: 64 * 1024 * 1024 }

/** Where a command is run: a folder in the declared one, no part of which is a symbolic link. @throws Fault `shell.cwd` */
export async function placeIn(root: string, cwd: string): Promise<string> {
  const parts = cwd === '' ? [] : cwd.split('/')
  const place = join(root, ...parts)
  const isPlain = parts.length <= 32 && parts.every((part) => part !== '' && part !== '.' && part !== '..') && !/[\p{Cc}\p{Cf}\\]/u.test(cwd)
  const isThere = isPlain && (await realpath(place).catch(() => undefined)) === place && (await lstat(place)).isDirectory()
  if (!isThere) throw new Fault('invalid', 'shell.cwd', `cwd ${JSON.stringify(cwd.slice(0, 200))} is no folder in ${root}: write e.g. notes/old, without symbolic links`)
  return place
}

/** The files that arguments name, below the folder, with the digests of their bytes. @throws Fault `shell.path` for one that lies elsewhere, or is a symbolic link */
export async function filesAmong(args: readonly string[], root: string, cwd: string, programs: readonly string[]): Promise<{ path: string; sha256: string }[]> {
  const files = new Map<string, string>()
  for (const written of args.flatMap(pathsOf)) {
    const path = resolve(cwd, written)
    if (programs.includes(path) || path.startsWith('/dev/')) continue
    const isInside = path === root || path.startsWith(`${root}/`)
    if (!isInside && (written.startsWith('/') || /(?:^|\/)\.\.(?:\/|$)/.test(written))) throw new Fault('refused', 'shell.path', `${written} lies outside of ${root}, where the command sees nothing; name what is in the folder`)
    const found = await lstat(path).catch(() => undefined)
    if (!found) continue
    if ((await realpath(path).catch(() => undefined)) !== path) throw new Fault('refused', 'shell.path', `${written} is a symbolic link, or lies behind one; name what it leads to`)
    if (!found.isFile()) continue
    if (found.size > most.bytes || files.size >= most.files) throw new Fault('refused', 'shell.large', `the arguments name more than ${most.files} files, or one larger than ${most.bytes / 1024 / 1024} MB; name the folder that they are in`)
    files.set(relative(root, path), await digestOfFile(path))
  }
  return [...files].map(([path, sha256]) => ({ path, sha256 })).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Are these files in a copy that nobody else reaches what they are in the folder? What the command reads by their names is that. @throws Fault `shell.changed` */
export async function requireFiles(files: readonly { readonly path: string; readonly sha256: string }[], copy: string): Promise<void> {
  for (const { path, sha256 } of files) {
    const place = join(copy, path)
    const isIt = (await realpath(place).catch(() => undefined)) === place && (await digestOfFile(place)) === sha256
    if (!isIt) throw new Fault('conflict', 'shell.changed', `${path} is not the file any more that was looked at; propose it again`)
  }
}

/** What an argument could name: itself, and what follows `=` or the letter of an option. */
function pathsOf(argument: string): string[] {
  const value = argument.includes('=') ? [argument.slice(argument.indexOf('=') + 1)] : []
  const glued = /^-[A-Za-z](?=.)/.test(argument) ? [argument.slice(2)] : []
  return [...(argument.startsWith('-') ? [] : [argument]), ...value, ...glued].filter((one) => one !== '' && !one.includes('\0') && one.length <= 4_000)
}
