import { lstatSync, mkdirSync, readdirSync, rmSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { takeProcessLock } from '../kernel/process-lock.ts'
import { readPrivateFile, replacePrivateFile, requirePrivate, syncFolder } from './private-file.ts'
import { toValue } from './secret-value.ts'

/** `$CASTELLAN_HOME/secrets`: a file a secret, named as the secret is; what begins with a dot is ours. */
export interface SecretFolder {
  readonly path: string
  /** The names of what is there, each with what is known of its file. */
  list(): ReadonlyMap<string, Stats>
  /** Undefined when there is none. @throws Fault `secrets.mode`, `secrets.value` */
  read(name: string): string | undefined
  write(name: string, value: string): void
  /** Something of ours, as text. */
  readOwn(file: OwnFile): string | undefined
  writeOwn(file: OwnFile, content: string): void
  removeOwn(file: OwnFile): void
  /** Of which secrets a value before is kept. */
  previous(): string[]
  /** Whose replacement has not come to its end. */
  unfinished(): string[]
  /** For one at a time; what one that died has left unfinished is removed. @throws Fault `secrets.busy` */
  exclusively<T>(work: () => Promise<T>): Promise<T>
}

/** Records of all; of one secret the value before and, while it is being replaced, the one that is in force and the one that is coming or coming back. */
export type OwnFile = '.records.json' | '.scan-key' | `.previous-${string}` | `.before-${string}` | `.next-${string}` | `.undo-${string}`

/** @throws Fault `secrets.mode`, `secrets.owner` */
export function openSecretFolder(home: string): SecretFolder {
  const path = join(home, 'secrets')
  mkdirSync(home, { recursive: true, mode: 0o711 })
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const stats = lstatSync(path)
  if (!stats.isDirectory()) throw new Fault('refused', 'secrets.folder', `${path} is no folder of its own; move it away, and run this again`)
  requirePrivate(path, stats)
  const us = process.getuid?.()
  if (us !== 0 && stats.uid !== us) throw new Fault('refused', 'secrets.owner', `${path} belongs to another user (uid ${stats.uid}); run this as him, with sudo if that is root`)
  const owner = { uid: stats.uid, gid: stats.gid }
  const at = (file: string) => join(path, file)
  const namesBehind = (beginnings: readonly string[]) => readdirSync(path).flatMap((file) => beginnings.flatMap((begins) => (file.startsWith(begins) ? [file.slice(begins.length)] : [])))
  const readOwn = (file: string) => (exists(at(file)) ? readPrivateFile(at(file)).toString('utf8') : undefined)

  return {
    path,
    list: () => new Map(readdirSync(path).filter((name) => !name.startsWith('.')).sort().map((name) => [name, lstatSync(at(name))])),
    read: (name) => (exists(at(name)) ? toValue(readPrivateFile(at(name)), at(name)) : undefined),
    write: (name, value) => replacePrivateFile(at(name), `${value}\n`, { owner }),
    readOwn,
    writeOwn: (file, content) => replacePrivateFile(at(file), content, { owner }),
    removeOwn: (file) => {
      rmSync(at(file), { force: true })
      syncFolder(path)
    },
    previous: () => namesBehind(['.previous-']),
    unfinished: () => [...new Set(namesBehind(['.next-', '.undo-', '.before-']))],
    async exclusively(work) {
      const lock = takeProcessLock(at('.lock'), (pid) => new Fault('conflict', 'secrets.busy', `process ${pid} is at work on the secrets of this home; wait until it has ended`))
      try {
        for (const name of readdirSync(path)) if (/^\..+\.[0-9a-f]{12}\.new$/.test(name)) rmSync(at(name), { force: true })
        return await work()
      } finally {
        lock.release()
      }
    },
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
