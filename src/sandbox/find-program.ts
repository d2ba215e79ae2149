import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { namesOf, type Program } from './policy/command.ts'
import { forbiddenPrograms, interpreters } from './policy/programs.ts'

/** Where the system's programs lie; a copy of one under another name is known by its bytes. */
const places = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/bin', '/sbin']
const dangerous = new Set([...forbiddenPrograms.flatMap(({ names }) => [...names]), ...interpreters])
const setid = 0o6000

/** A program as it lies there, by its true path, with the digest of its bytes. @throws Fault `shell.argv`, `shell.program` */
export async function findProgram(named: string | undefined): Promise<Program> {
  if (named === undefined || !isAbsolute(named) || named.includes('\0')) {
    throw new Fault('invalid', 'shell.argv', `a command begins with the absolute path of a program, not with ${JSON.stringify(named ?? '')}`)
  }
  const path = await realpath(named).catch((error: unknown) => {
    throw new Fault('missing', 'shell.program', `there is no program ${named}`, {}, error)
  })
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new Fault('refused', 'shell.program', `${path} cannot be read, so that nobody can say what it is`, {}, error)
  })
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new Fault('invalid', 'shell.program', `${path} is no file`)
    const sha256 = await digest(file)
    const names = [...new Set([named, path, ...(await twinsOf(found.size, sha256))].flatMap((one) => namesOf(basename(one))))]
    return { path, sha256, names, privileged: (found.mode & setid) !== 0 }
  } finally {
    await file.close()
  }
}

/** In hex. */
export async function digestOfFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return await digest(file)
  } finally {
    await file.close()
  }
}

async function digest(file: FileHandle): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of file.createReadStream({ autoClose: false, start: 0 })) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/** Programs of the system that the policy knows and that have these very bytes. */
async function twinsOf(size: number, sha256: string): Promise<string[]> {
  const twins: string[] = []
  for (const path of await dangerousFiles()) {
    // most are told apart by their size
    if ((await stat(path).catch(() => undefined))?.size !== size) continue
    if ((await digestOfFile(path).catch(() => undefined)) === sha256) twins.push(path)
  }
  return twins
}

async function dangerousFiles(): Promise<string[]> {
  const names = await Promise.all(places.map(async (place) => (await readdir(place).catch(() => [])).map((name) => join(place, name))))
  const files = names.flat().filter((path) => namesOf(basename(path)).some((name) => dangerous.has(name)))
  return [...new Set(await Promise.all(files.map((path) => realpath(path).catch(() => path))))]
}
