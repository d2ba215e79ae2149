import { join } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import { oneLine } from '../../acts/cut-text.ts'
import type { ShellAct } from '../../acts/shell-act.ts'
import type { TreeEntry } from './survey-tree.ts'
import type { WorkCommand, Workplace } from './workplace.ts'

export type Place = Pick<WorkCommand, 'root' | 'from' | 'programs' | 'timeoutMs' | 'signal'>

/** What leads to the commits of each repository, by its folder. */
export type Tips = ReadonlyMap<string, readonly string[]>

const most = { tips: 500, commits: 500, repositories: 20 }
/** Nothing of the repository's configuration that starts a program or hides a change; what else it starts is in the sandbox. */
const bare = ['--no-pager', '--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'log.showSignature=false', '-c', 'safe.directory=*']

/** What branches, tags, stashes and HEAD are at, of every repository in the folder: the command may work on another than the one it is run in (`git -C`). @throws Fault `shell.large` */
export async function branchTips(workplace: Workplace, place: Place, entries: readonly TreeEntry[]): Promise<Tips> {
  const repositories = repositoriesAmong(entries)
  if (repositories.length > most.repositories) throw new Fault('refused', 'shell.large', `there are more than ${most.repositories} repositories in the folder; declare a smaller one for it`)
  const tips = new Map<string, readonly string[]>()
  for (const repository of repositories) tips.set(repository, await tipsOf(workplace, place, repository))
  return tips
}

function repositoriesAmong(entries: readonly TreeEntry[]): string[] {
  return entries.flatMap(({ path, type }) => (type === 'folder' && /(?:^|\/)\.git$/.test(path) ? [path.slice(0, -'/.git'.length)] : []))
}

async function tipsOf(workplace: Workplace, place: Place, repository: string): Promise<string[]> {
  const said = await Promise.all([
    ['for-each-ref', '--format=%(objectname)'], ['rev-parse', '--verify', '--quiet', 'HEAD'],
    // what was stashed before the last time is led to by the log alone
    ['rev-list', '--walk-reflogs', 'refs/stash', '--'],
  ].map((args) => git(workplace, place, repository, args)))
  return [...new Set(said.flatMap(({ exitCode, stdout }) => (exitCode === 0 ? stdout.split('\n') : [])).filter((line) => /^[0-9a-f]{40,64}$/.test(line)))]
}

/** Commits that something led to before and nothing does now; a repository that is gone as a whole is among the files. @throws Fault `shell.trial`, `shell.large` */
export async function lostCommits(workplace: Workplace, place: Place, before: Tips, entries: readonly TreeEntry[]): Promise<ShellAct['commits']> {
  const lost: ShellAct['commits'][number][] = []
  const standing = new Set(repositoriesAmong(entries))
  for (const [repository, tips] of before) if (standing.has(repository)) lost.push(...(await lostFrom(workplace, place, repository, tips)))
  if (lost.length > most.commits) throw new Fault('refused', 'shell.large', `more than ${most.commits} commits would be lost`)
  return lost
}

async function lostFrom(workplace: Workplace, place: Place, repository: string, before: readonly string[]): Promise<ShellAct['commits']> {
  const after = await tipsOf(workplace, place, repository)
  if (before.every((tip) => after.includes(tip))) return []
  if (before.length + after.length > most.tips) throw new Fault('refused', 'shell.large', `the repository has more than ${most.tips} branches and tags; take some out first`)
  const { exitCode, stdout, stderr } = await git(workplace, place, repository, ['log', '-z', '--format=%H %s', `--max-count=${most.commits + 1}`, ...before, '--not', ...after])
  if (exitCode !== 0) throw new Fault('refused', 'shell.trial', `git cannot say which commits would be lost: ${oneLine(stderr, 200)}`)
  return stdout.split('\0').filter((line) => line !== '').map((line) => ({ id: line.split(' ', 1)[0]!, subject: oneLine(line.slice(line.indexOf(' ') + 1), 200) }))
}

async function git(workplace: Workplace, place: Place, repository: string, args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const path = place.programs.find(({ path }) => /(?:^|\/)git$/.test(path))?.path ?? '/usr/bin/git'
  const { exitCode, stdout, stderr } = await workplace.run({ ...place, argv: [path, ...bare, ...args], cwd: join(place.root, repository), access: 'read' })
  return { exitCode, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') }
}
