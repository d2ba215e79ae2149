import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import { faultPoint } from '../../../kernel/fault-point.ts'
import { digestOfFile } from '../../../sandbox/index.ts'
import { byPath, type Changes } from './changes.ts'
import { said } from './said.ts'
import { surveyTree, type TreeEntry } from './survey-tree.ts'
import type { Workplace } from './workplace.ts'

const stepMs = 20_000
/** Arguments of one program. */
const batch = 200

/** Puts together all that has to be carried over, before anything is: what is missing for it is found out while nothing was done. @throws Fault `shell.trial` */
export async function packChanges(workplace: Workplace, { put }: Changes, folder: string): Promise<void> {
  await writeFile(join(folder, 'names'), listOf(put.map(({ path }) => path)), { mode: 0o644 })
  const { exitCode, stderr } = await workplace.tool([
    '/usr/bin/tar', '--create', `--file=${join(folder, 'carried.tar')}`, '--format=posix', '--no-recursion', '--hard-dereference', `--directory=${join(folder, 'after')}`,
    '--null', '--verbatim-files-from', `--files-from=${join(folder, 'names')}`,
  ], { cwd: folder, folders: [{ path: folder, access: 'write' }], timeoutMs: stepMs })
  if (exitCode !== 0) throw new Fault('refused', 'shell.trial', `what the command made could not be put together: ${said(stderr)}`)
}

/**
 * Makes of the folder what the command made of its copy: by names, within the sandbox, and nothing else. What came into a folder that is taken
 * away stays, with the folder. @returns how many folders stay
 * @throws Fault `shell.carry` when it is not all as it was to be
 */
export async function carryOver(workplace: Workplace, changes: Changes, root: string, folder: string): Promise<number> {
  const { out, put, fresh } = changes
  await takeOut(workplace, out, root)
  faultPoint('shell.carry')
  const unpack = async (paths: readonly string[], ...options: string[]) => {
    if (paths.length === 0) return
    await writeFile(join(folder, 'names'), listOf(paths), { mode: 0o644 })
    await workplace.tool([
      '/usr/bin/tar', '--extract', `--file=${join(folder, 'carried.tar')}`, `--directory=${root}`, '--no-same-owner', '--preserve-permissions', ...options,
      '--no-recursion', '--null', '--verbatim-files-from', `--files-from=${join(folder, 'names')}`,
    ], { cwd: root, folders: [{ path: root, access: 'write' }, { path: folder, access: 'read' }], timeoutMs: stepMs })
  }
  const changed = put.filter(({ path }) => !fresh.has(path))
  // what somebody else put there meanwhile is not written over
  await unpack([...fresh], '--keep-old-files')
  // in their place, so that they stay their owner's
  await unpack(changed.map(({ path }) => path), '--overwrite')
  // those that may be replaced, but not written
  await unpack(await missing(changed, root, folder))
  const here = byPath(await surveyTree(root, { read: false }))
  const stays = out.filter(({ path, type }) => here.get(path)?.type === type && !put.some((one) => one.path === path))
  const isFull = ({ path, type }: TreeEntry) => type === 'folder' && [...here.keys()].some((one) => one.startsWith(`${path}/`))
  const failed = [...await missing(put, root, folder), ...stays.filter((entry) => !isFull(entry)).map(({ path }) => path)]
  if (failed.length > 0) {
    throw new Fault('conflict', 'shell.carry', `${failed.length} of ${out.length + put.length} changes could not be made, e.g. of ${failed[0]}`)
  }
  return stays.length
}

function listOf(paths: readonly string[]): string {
  return paths.map((path) => `${path}\0`).join('')
}

async function takeOut(workplace: Workplace, out: readonly TreeEntry[], root: string): Promise<void> {
  const places = (folders: boolean) => out.filter(({ type }) => (type === 'folder') === folders).map(({ path }) => join(root, path)).reverse()
  for (const [program, paths] of [[['/usr/bin/rm', '--force'], places(false)], [['/usr/bin/rmdir'], places(true)]] as const) {
    for (let at = 0; at < paths.length; at += batch) {
      await workplace.tool([...program, '--', ...paths.slice(at, at + batch)], { cwd: root, folders: [{ path: root, access: 'write' }], timeoutMs: stepMs })
    }
  }
}

/** What is not in the folder as it is in the copy. The time of a file that belongs to somebody else cannot be set, and is not looked at. */
async function missing(put: readonly TreeEntry[], root: string, folder: string): Promise<string[]> {
  const here = byPath(await surveyTree(root, { read: false }))
  const found: string[] = []
  for (const { path, type, mode, content, size } of put) {
    const now = here.get(path)
    const isThere = now?.type === type && now.mode === mode && now.size === size && (type !== 'link' || now.content === content)
    if (!isThere || (type === 'file' && (await digestOfFile(join(root, path)).catch(() => '')) !== (await digestOfFile(join(folder, 'after', path))))) found.push(path)
  }
  return found
}
