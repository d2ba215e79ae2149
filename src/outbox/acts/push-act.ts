import type { ActFrame } from './outbound-act.ts'

export interface PushedChange {
  readonly path: string
  /** Of git: A added, M modified, D deleted, T of another type. */
  readonly status: string
  /** Lines; null where it is no text. */
  readonly added: number | null
  readonly removed: number | null
}

/** One commit, put at the head of one branch of a repository elsewhere. */
export interface GitPushAct extends ActFrame {
  readonly kind: 'git.push'
  readonly remote: string
  /** `refs/heads/…` */
  readonly ref: string
  /** What the branch has to be at; null: it must not be there. */
  readonly old: string | null
  readonly new: string
  /** What the changes are reckoned from; null: from nothing. */
  readonly base: string | null
  /** Commits that are no part of the branch any more afterwards. */
  readonly dropped: number
  readonly commits: readonly { readonly id: string; readonly subject: string }[]
  readonly changes: readonly PushedChange[]
}

export const gitPushShape = {
  remote: 'string', ref: 'string', old: 'text or null', new: 'string', base: 'text or null', dropped: 'number',
  commits: { list: { fields: { id: 'string', subject: 'string' } } },
  changes: { list: { fields: { path: 'string', status: 'string', added: 'number or null', removed: 'number or null' } } },
} as const

const words: Readonly<Record<string, string>> = { A: 'added', M: 'changed', D: 'deleted', T: 'of another type' }

export function wordsOfGitPush({ remote, ref, old, new: head, base, dropped, commits, changes }: GitPushAct): string {
  return [
    `Push to ${ref.replace(/^refs\/heads\//, '')} of ${remote}:`,
    `from ${old ?? 'no branch'}`,
    `to   ${head}`,
    ...(dropped > 0 ? [`This rewrites the branch: ${dropped} of its commits are no part of it any more.`] : []),
    'It is pushed only as long as the branch is where it was.',
    '',
    `${commits.length} commit${commits.length === 1 ? '' : 's'}:`,
    ...commits.map(({ id, subject }) => `${id.slice(0, 12)} ${subject}`),
    '',
    ...wordsOfChanges(changes, base === null ? 'nothing' : base.slice(0, 12)),
    '',
  ].join('\n')
}

/** A line that sums it up, and one for each path. */
export function wordsOfChanges(changes: readonly PushedChange[], against: string): string[] {
  const sum = (of: 'added' | 'removed') => changes.reduce((total, change) => total + (change[of] ?? 0), 0)
  return [
    `${changes.length} path${changes.length === 1 ? '' : 's'}, +${sum('added')} −${sum('removed')} lines, against ${against}:`,
    ...changes.map(({ path, status, added, removed }) => `${path}  ${words[status] ?? status}${added === null ? ', not text' : ` +${added} −${removed}`}`),
  ]
}
