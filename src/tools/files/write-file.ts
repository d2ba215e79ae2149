import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { faultPoint } from '../../kernel/fault-point.ts'
import { Fault } from '../../kernel/fault.ts'
import { explain, openFolder, type Opened, type Root } from './open-inside.ts'
import { isProtectedName } from './protected-names.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** Checks that a tool may write there: what others execute, configure or keep secret is not for tools, nor what has a second name elsewhere. */
export function assertWritable(parts: readonly string[]): void {
  if (parts.length === 0) throw new Fault('invalid', 'files.path', 'a path names a file in the folder, e.g. notes/today.md')
  const hidden = parts.find((part) => part.startsWith('.') || isProtectedName(part))
  if (hidden !== undefined) {
    throw new Fault('refused', 'files.protected', `tools write no hidden files and none that hold secrets, keys or configuration: ${hidden.slice(0, 100)}`)
  }
}

/** Writes a file so that it is there whole or not at all: beside its place, to the disk, then into its place. */
export async function writeWhole(root: Root, parts: readonly string[], bytes: Buffer): Promise<void> {
  const name = parts.at(-1)!
  const shown = parts.join('/')
  const folder = await makeFolder(root, parts.slice(0, -1))
  try {
    await assertReplaceable(folder, name, shown)
    const temporary = `${folder.base}/.castellan-${randomBytes(8).toString('hex')}.tmp`
    try {
      await writeAndSync(temporary, bytes, (await folder.handle.stat()).mode & 0o666)
      faultPoint('files.write:before')
      await rename(temporary, `${folder.base}/${name}`)
      await folder.handle.sync()
    } catch (error) {
      await rm(temporary, { force: true })
      throw explain(error, root.name, shown)
    }
  } finally {
    await folder.handle.close()
  }
}

async function assertReplaceable(folder: Opened, name: string, shown: string): Promise<void> {
  const there = await lstat(`${folder.base}/${name}`).catch(() => undefined)
  if (there === undefined) return
  if (!there.isFile()) throw new Fault('refused', 'files.kind', `${shown} is a folder, a symbolic link or a device; only an ordinary file is replaced`)
  if (there.nlink > 1) throw new Fault('refused', 'files.link', `${shown} has a second name elsewhere (a hard link); remove one of them first`)
}

/** With the folder's permissions, so that who may look into the folder may read what is put there. */
async function writeAndSync(path: string, bytes: Buffer, mode: number): Promise<void> {
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function makeFolder(root: Root, parts: readonly string[]): Promise<Opened> {
  let folder = await openFolder(root, [])
  for (const [at, part] of parts.entries()) {
    const mode = (await folder.handle.stat()).mode & 0o777
    try {
      await mkdir(`${folder.base}/${part}`, { mode })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        await folder.handle.close()
        throw explain(error, root.name, parts.slice(0, at + 1).join('/'))
      }
    }
    await folder.handle.close()
    folder = await openFolder(root, parts.slice(0, at + 1))
  }
  return folder
}
