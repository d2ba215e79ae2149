import type { Hint } from '../api.ts'

export type Topic = Hint['topic']

export const allTopics: readonly Topic[] = ['runs', 'drafts', 'jobs', 'house']

/** By the first word of an audit event's kind: every change of what the pages show writes one. */
const byFamily: Readonly<Record<string, readonly Topic[]>> = {
  run: ['runs', 'jobs'],
  occurrence: ['runs', 'jobs'],
  step: ['runs'],
  job: ['jobs'],
  proposal: ['drafts'],
  draft: ['drafts'],
  mail: ['house'],
  key: ['house'],
  signin: ['house'],
  alert: ['house'],
}

/** What has to be asked again after an event of this kind. */
export function topicsOf(kind: string): readonly Topic[] {
  return byFamily[kind.slice(0, kind.indexOf('.'))] ?? []
}
