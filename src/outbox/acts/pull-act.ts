import type { ActFrame } from './outbound-act.ts'
import { gitPushShape, wordsOfChanges, type PushedChange } from './push-act.ts'

/** A pull request at a forge that speaks GitHub's API. */
export interface PullOpenAct extends ActFrame {
  readonly kind: 'pull.open'
  /** `owner/name` */
  readonly repository: string
  readonly base: string
  readonly head: string
  /** What `head` has to be at. */
  readonly commit: string
  readonly title: string
  readonly body: string
  readonly changes: readonly PushedChange[]
}

export const pullOpenShape = { repository: 'string', base: 'string', head: 'string', commit: 'string', title: 'string', body: 'string', changes: gitPushShape.changes } as const

export function wordsOfPullOpen({ repository, base, head, commit, title, body, changes }: PullOpenAct): string {
  return [
    `Open a pull request in ${repository}: ${head} into ${base}.`,
    `It is opened only as long as ${head} is at ${commit}.`,
    '',
    title,
    '',
    body === '' ? '(no text)' : body,
    '',
    ...wordsOfChanges(changes, base),
    '',
  ].join('\n')
}
