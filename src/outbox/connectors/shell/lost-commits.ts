import { Fault } from '../../../kernel/fault.ts'
import { cutText } from '../../acts/cut-text.ts'
import type { ShellAct } from '../../acts/shell-act.ts'
import type { WorkCommand, Workplace } from './workplace.ts'

export type Place = Pick<WorkCommand, 'root' | 'from' | 'programs' | 'timeoutMs' | 'signal' | 'cwd'>

const most = 500
/** Nothing of the repository's configuration that starts a program or hides a change; what else it starts is in the sandbox. */
const bare = ['--no-pager', '--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'log.showSignature=false', '-c', 'safe.directory=*']

/** What branches, tags, stashes and HEAD of the repository are at; nothing where there is none. */
export async function branchTips(workplace: Workplace, place: Place): Promise<string[]> {
  const inside = await git(workplace, place, ['rev-parse', '--is-inside-work-tree'])
  if (inside.exitCode !== 0) return []
  const refs = await git(workplace, place, ['for-each-ref', '--format=%(objectname)'])
  const head = await git(workplace, place, ['rev-parse', '--verify', '--quiet', 'HEAD'])
  return [...new Set(`${refs.stdout}\n${head.exitCode === 0 ? head.stdout : ''}`.split('\n').filter((line) => /^[0-9a-f]{40,64}$/.test(line)))]
}

/** Commits that something led to before and nothing does now. @throws Fault `shell.trial` */
export async function lostCommits(workplace: Workplace, place: Place, before: readonly string[]): Promise<ShellAct['commits']> {
  const after = await branchTips(workplace, place)
  if (before.every((tip) => after.includes(tip))) return []
  if (before.length + after.length > most) throw new Fault('refused', 'shell.large', `the repository has more than ${most} branches and tags; take some out first`)
  const { exitCode, stdout, stderr } = await git(workplace, place, ['log', '-z', '--format=%H %s', `--max-count=${most + 1}`, ...before, '--not', ...after])
  if (exitCode !== 0) throw new Fault('refused', 'shell.trial', `git cannot say which commits would be lost: ${visible(stderr)}`)
  const commits = stdout.split('\0').filter((line) => line !== '').map((line) => ({ id: line.split(' ', 1)[0]!, subject: visible(line.slice(line.indexOf(' ') + 1)) }))
  if (commits.length > most) throw new Fault('refused', 'shell.large', `more than ${most} commits would be lost`)
  return commits
}

async function git(workplace: Workplace, place: Place, args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const path = place.programs.find(({ path }) => /(?:^|\/)git$/.test(path))?.path ?? '/usr/bin/git'
  const { exitCode, stdout, stderr } = await workplace.run({ ...place, argv: [path, ...bare, ...args], access: 'read' })
  return { exitCode, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') }
}

/** Somebody's words on one line, without characters that show as something else. */
function visible(text: string): string {
  return cutText(text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim(), 200)
}
