import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { matches } from '../../house/index.ts'
import { cutText } from '../acts/cut-text.ts'
import type { GitPushAct } from '../acts/push-act.ts'
import { delicateAmong } from '../delicate-paths.ts'
import type { Composed, Finding, Frame } from './composed.ts'
import { composeOutbound, readPayload } from './outbound.ts'

const payloadSchema = z.strictObject({ branch: z.string().max(200), commit: z.string().regex(/^[0-9a-f]{40}$/, 'a commit is named in full, by 40 hex digits') })
const mainBranch = /^(?:main|master|trunk|develop|production|prod|release)(?:\/|$)/

export interface PushTarget {
  readonly remote: string
  readonly branches: readonly string[]
  look(commit: string, ref: string, draft: string): Promise<Pick<GitPushAct, 'old' | 'base' | 'dropped' | 'commits' | 'changes'> & { readonly hasLinks: boolean; readonly hasSubmodules: boolean }>
}

/** One commit to one branch, as a dry run finds it. @throws Fault `draft.payload`, `git.*` */
export async function composeGitPush(payload: unknown, frame: Frame, { remote, branches, look }: PushTarget): Promise<Composed> {
  const { branch, commit } = readPayload(payloadSchema, payload, 'push')
  const ref = refOf(branch, branches)
  const { hasLinks, hasSubmodules, ...found } = await look(commit, ref, frame.id)
  const findings: Finding[] = [
    ...(found.dropped > 0 ? [{ atLeast: 8, why: `it rewrites the branch: ${found.dropped} of its commits are no part of it any more` }] : []),
    ...delicateAmong(found.changes.map(({ path }) => path)).map((why) => ({ atLeast: 8, why })),
    ...(mainBranch.test(branch) ? [{ add: 2, why: `${branch} is a branch from which others build` }] : []),
    ...(hasLinks ? [{ add: 1, why: 'there is a symbolic link in it' }] : []),
    ...(hasSubmodules ? [{ add: 2, why: 'there is a submodule in it, which is code from elsewhere' }] : []),
  ]
  const undo = found.old === null
    ? 'Afterwards: delete the branch at the other side; whoever fetched it has it.'
    : `Afterwards: push ${found.old} to ${branch} again, which rewrites it; whoever fetched it has it.`
  return composeOutbound({ kind: 'git.push', remote, ref, new: commit, ...found }, frame, {
    title: cutText(`Push ${found.commits.length} commit${found.commits.length === 1 ? '' : 's'} to ${branch}: ${found.commits[0]?.subject ?? commit.slice(0, 12)}`, 300), to: [`${branch} of ${remote}`], undo, findings,
  })
}

/** @throws Fault `git.branch` for a name that is none, or that this connector may not push to */
export function refOf(branch: string, branches: readonly string[]): string {
  checkBranch(branch)
  if (!branches.some((pattern) => matches(pattern, branch))) throw new Fault('refused', 'git.branch', `${branch} is not among the branches that castellan.yaml allows: ${branches.join(', ')}`)
  return `refs/heads/${branch}`
}

/** @throws Fault `git.branch` */
export function checkBranch(branch: string): void {
  const isName = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(branch) && !/\.\.|\/\/|\/\.|\.\/|\.lock(?:\/|$)|[./]$/.test(branch)
  if (!isName) throw new Fault('invalid', 'git.branch', `${JSON.stringify(branch)} is not the name of a branch`)
}
