import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import type { UnitFile } from './description.ts'
import { plistHeading, unescape } from './launchd/plist.ts'
import { heading } from './systemd/units.ts'

export interface FileDeps {
  /** Replaces a file as a whole, durably. */
  replaceFile(path: string, content: string, mode: number): Promise<void>
  /** What stands before every path; the whole system unless a test says otherwise. */
  readonly root?: string
}

export interface FileState {
  readonly path: string
  readonly state: 'written' | 'unchanged' | 'removed' | 'installed' | 'differs' | 'missing'
}

/** Writes what is not there as it should be, and removes what an earlier version wrote and this one does not. @throws Fault `unit.foreign`, `unit.other_home` */
export async function installFiles(deps: FileDeps, home: string, files: readonly UnitFile[]): Promise<FileState[]> {
  const { root = '/' } = deps
  // every file first, so that nothing is half done when one is somebody else's
  for (const { path } of files) mustBeOurs(join(root, path))
  mustBeOfHome(root, home, files.map(({ path }) => path))
  const done: FileState[] = []
  for (const { path, mode, text } of files) {
    const at = join(root, path)
    if (stateOf(root, { path, mode, text }) === 'installed') {
      done.push({ path, state: 'unchanged' })
      continue
    }
    mkdirSync(dirname(at), { recursive: true, mode: 0o755 })
    await deps.replaceFile(at, text, mode)
    chmodSync(at, mode) // whatever the umask took away
    done.push({ path, state: 'written' })
  }
  return [...done, ...remove(root, ownIn(root, files.map(({ path }) => dirname(path))).filter((path) => !files.some((file) => file.path === path)))]
}

/** Every file that an installation has left in these folders, whichever version wrote it and whatever the house was then. */
export function installedFiles({ root = '/' }: Pick<FileDeps, 'root'>, folders: readonly string[]): string[] {
  return ownIn(root, folders)
}

/** Removes them, with the links by which systemd starts them, and nothing else. @throws Fault `unit.other_home` */
export function uninstallFiles({ root = '/' }: Pick<FileDeps, 'root'>, home: string, folders: readonly string[]): FileState[] {
  const own = ownIn(root, folders)
  mustBeOfHome(root, home, own)
  return remove(root, [...own.flatMap((path) => linksTo(root, path)), ...own])
}

export function compareFiles({ root = '/' }: Pick<FileDeps, 'root'>, files: readonly UnitFile[]): FileState[] {
  return files.map((file) => ({ path: file.path, state: stateOf(root, file) }))
}

function stateOf(root: string, { path, mode, text }: UnitFile): 'installed' | 'differs' | 'missing' {
  const at = join(root, path)
  if (!existsSync(at)) return 'missing'
  return readFileSync(at, 'utf8') === text && (statSync(at).mode & 0o777) === mode ? 'installed' : 'differs'
}

function ownIn(root: string, folders: readonly string[]): string[] {
  return [...new Set(folders)].flatMap((folder) => {
    const at = join(root, folder)
    if (!existsSync(at)) return []
    return readdirSync(at, { withFileTypes: true }).filter((entry) => entry.isFile() && /castellan/.test(entry.name) && isOurs(join(at, entry.name))).map((entry) => join(folder, entry.name))
  })
}

/** Where `systemctl enable` noted that a unit is wanted; without its file the link would lead nowhere. */
function linksTo(root: string, path: string): string[] {
  const link = join(dirname(path), 'multi-user.target.wants', basename(path))
  const found = lstatSync(join(root, link), { throwIfNoEntry: false })
  return found?.isSymbolicLink() && basename(readlinkSync(join(root, link))) === basename(path) ? [link] : []
}

function remove(root: string, paths: readonly string[]): FileState[] {
  return paths.map((path) => {
    rmSync(join(root, path))
    return { path, state: 'removed' }
  })
}

function isOurs(path: string): boolean {
  const text = readFileSync(path, 'utf8')
  return text.startsWith(heading) || text.includes(plistHeading)
}

function mustBeOurs(path: string): void {
  if (existsSync(path) && !isOurs(path)) throw new Fault('conflict', 'unit.foreign', `${path} is there, and \`castellan service install\` has not written it; move it away, nothing was changed`)
}

/** The units have fixed names: one house a machine. */
function mustBeOfHome(root: string, home: string, paths: readonly string[]): void {
  for (const path of paths) {
    const at = join(root, path)
    const other = existsSync(at) ? homeIn(readFileSync(at, 'utf8')) : undefined
    if (other !== undefined && other !== home) throw new Fault('conflict', 'unit.other_home', `the house in ${other} is installed on this machine; \`castellan service uninstall --home ${other}\` first, nothing was changed`)
  }
}

/** As it was written there: in a unit, where a home holds nothing that is quoted, or in a property list. */
function homeIn(text: string): string | undefined {
  const [, inUnit, inList] = /CASTELLAN_HOME(?:=([^"\n]+)|<\/key>\s*<string>([^<]+))/.exec(text) ?? []
  return inUnit?.replaceAll('%%', '%') ?? (inList === undefined ? undefined : unescape(inList))
}
