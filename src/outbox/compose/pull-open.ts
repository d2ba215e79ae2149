import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { matches } from '../../house/index.ts'
import type { PushedChange } from '../acts/push-act.ts'
import { delicateAmong } from '../delicate-paths.ts'
import type { Composed, Finding, Frame } from './composed.ts'
import { checkBranch } from './git-push.ts'
import { composeOutbound, readPayload } from './outbound.ts'
import { readBody, refuseControls } from './text.ts'

const payloadSchema = z.strictObject({
  head: z.string().max(200), base: z.string().max(200), title: z.string().min(1).max(250), body: z.string().max(60_000).default(''),
})

export interface PullTarget {
  readonly repository: string
  readonly bases: readonly string[]
  /** What the branch is at, and what it changes against the other. */
  look(head: string, base: string): Promise<{ readonly commit: string; readonly changes: readonly PushedChange[] }>
}

/** A pull request as the forge would show it now. @throws Fault `draft.payload`, `git.branch`, `mail.control` */
export async function composePullOpen(payload: unknown, frame: Frame, { repository, bases, look }: PullTarget): Promise<Composed> {
  const { head, base, title, body } = readPayload(payloadSchema, payload, 'pull request')
  checkBranch(head)
  checkBranch(base)
  if (!bases.some((pattern) => matches(pattern, base))) throw new Fault('refused', 'git.branch', `${base} is not among the branches that castellan.yaml allows: ${bases.join(', ')}`)
  refuseControls('title', title)
  const text = readBody('body', body)
  const { commit, changes } = await look(head, base)
  const findings: Finding[] = delicateAmong(changes.map(({ path }) => path)).map((why) => ({ atLeast: 8, why }))
  return composeOutbound({ kind: 'pull.open', repository, base, head, commit, title, body: text, changes }, frame, {
    title: `Pull request in ${repository}: ${title}`, to: [`${repository} (${base})`], undo: 'Afterwards: close it at the forge, by the number that the receipt names; whoever was told of it was told.', findings,
  })
}
