import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '../kernel/fault.ts'

const starterHouse = join(import.meta.dirname, '..', '..', 'house')
const run = promisify(execFile)

/**
 * Makes a house of one's own out of the starter house, under git where there is git.
 * @throws Fault `house.not_empty` when something is there already
 */
export async function initHouse(target: string): Promise<{ folder: string; git: boolean }> {
  const folder = resolve(target)
  if (existsSync(folder) && (await entriesOf(folder)).length > 0) {
    throw new Fault('conflict', 'house.not_empty', `${folder} is not empty; choose a new folder, or start the house that is there`, { folder })
  }
  await mkdir(folder, { recursive: true })
  await cp(starterHouse, folder, { recursive: true })
  return { folder, git: await firstCommit(folder) }
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    throw new Fault('invalid', 'house.not_a_folder', `${folder} is not a folder that can be read`, { folder }, error)
  }
}

/** Without git, or inside another repository, the house is a plain folder. */
async function firstCommit(folder: string): Promise<boolean> {
  const git = (...args: string[]) => run('git', ['-C', folder, ...args], { timeout: 10_000 })
  const identity = ['-c', 'user.name=Castellan', '-c', 'user.email=castellan@localhost', '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null']
  try {
    await git('init', '--quiet', '--initial-branch=main')
    await git('add', '--all')
    await git(...identity, 'commit', '--quiet', '--message', 'Begin with the starter house')
    return true
  } catch {
    return false
  }
}
