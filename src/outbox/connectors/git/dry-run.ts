import { Fault } from '../../../kernel/fault.ts'
import { oneLine } from '../../acts/cut-text.ts'
import type { GitPushAct, PushedChange } from '../../acts/push-act.ts'
import type { Workshop } from './workshop.ts'

const most = { commits: 500, changes: 5_000 }
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

export interface DryRun extends Pick<GitPushAct, 'old' | 'base' | 'dropped' | 'commits' | 'changes'> {
  readonly hasLinks: boolean
  readonly hasSubmodules: boolean
}

/** What a push would do, by the objects themselves. Changes nothing at the remote. @throws Fault `git.*` */
export async function dryRun(workshop: Workshop, { commit, ref, draft }: { commit: string; ref: string; draft: string }, signal: AbortSignal): Promise<DryRun> {
  await workshop.takeIn(commit, draft, signal)
  const old = (await workshop.look(ref, signal)) ?? null
  if (old === commit) throw new Fault('invalid', 'git.same', `the branch is at ${commit} already`)
  const main = old ?? (await workshop.look('HEAD', signal)) ?? null
  if (main !== null && !(await workshop.has(main, signal))) await workshop.fetch(main, signal)
  const lines = async (...args: string[]) => (await workshop.git(args, signal)).stdout.toString('utf8').split('\0').filter((line) => line !== '')
  const count = async (...range: string[]) => Number((await workshop.git(['rev-list', '--count', ...range], signal)).stdout.toString())
  const without = main === null ? [] : [`^${main}`]
  if ((await count(commit, ...without)) > most.commits) throw new Fault('refused', 'git.many', `these are more than ${most.commits} commits; push them in parts`)
  // of a branch that is new, what it adds to the main one; of another, what is different afterwards
  const base = old ?? (main === null ? null : await mergeBase(workshop, main, commit, signal))
  const commits = (await lines('log', '-z', '--no-show-signature', '--format=%H %s', commit, ...without)).map((line) => ({ id: line.slice(0, 40), subject: oneLine(line.slice(41), 200) }))
  const tree = ['-r', '-z', '--no-renames', '--no-ext-diff', '--no-textconv', base ?? emptyTree, commit]
  const raw = await lines('diff-tree', '--raw', ...tree)
  const numbers = new Map((await lines('diff-tree', '--numstat', ...tree)).map((line) => {
    const [, added, removed, path] = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(line) ?? []
    return [path!, [added === '-' ? null : Number(added), removed === '-' ? null : Number(removed)] as const]
  }))
  if (raw.length / 2 > most.changes) throw new Fault('refused', 'git.many', `these are changes of more than ${most.changes} paths; push them in parts`)
  const changes: PushedChange[] = []
  const modes: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [, mode, , , status] = raw[at]!.replace(/^:/, '').split(' ')
    const path = raw[at + 1]!
    if (!path.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u.test(path)) throw new Fault('refused', 'git.name', `a path is called ${JSON.stringify(path)}, which cannot be shown; give it another name first`)
    const [added, removed] = numbers.get(path) ?? [null, null]
    changes.push({ path, status: status!, added, removed })
    modes.push(mode!)
  }
  return { old, base, dropped: old === null ? 0 : await count(old, `^${commit}`), commits, changes, hasLinks: modes.includes('120000'), hasSubmodules: modes.includes('160000') }
}

async function mergeBase(workshop: Workshop, main: string, commit: string, signal: AbortSignal): Promise<string | null> {
  try {
    return (await workshop.git(['merge-base', main, commit], signal)).stdout.toString().trim()
  } catch {
    return null
  }
}
