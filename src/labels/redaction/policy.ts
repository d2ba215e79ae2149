import type { Lane } from '../lane.ts'
import { documentClasses, type DocumentClass } from '../documents/terms.ts'

/**
 * What becomes of something that is found in a text on its way to a cloud model, the mildest first: `redact` takes it out and hands the rest on; `local`
 * gives the call to a model of one's own machines instead; `block` hands nothing on.
 */
export const redactionActions = ['redact', 'local', 'block'] as const
export type RedactionAction = (typeof redactionActions)[number]

/** By what is found. Secrets are handed on by no policy. */
export interface RedactionPolicy {
  readonly personal: RedactionAction
  /** Of the operator's dictionary. */
  readonly words: RedactionAction
  readonly secrets: Exclude<RedactionAction, 'redact'>
  readonly documents: Readonly<Record<DocumentClass, RedactionAction>>
}

/** What a doctor or a lawyer wrote says who it is about without any name. */
export const defaultPolicy: RedactionPolicy = { personal: 'redact', words: 'redact', secrets: 'block', documents: { legal: 'local', health: 'local', finance: 'redact' } }

/** What has passed through several lanes obeys the strictest of each. */
export function policyOf(lanes: readonly string[], declared: readonly Lane[]): RedactionPolicy {
  const policies = lanes.map((name) => declared.find((lane) => lane.name === name)?.redaction ?? defaultPolicy)
  if (policies.length === 0) return defaultPolicy
  const strictest = (action: (policy: RedactionPolicy) => RedactionAction) => policies.map(action).reduce((a, b) => (redactionActions.indexOf(b) > redactionActions.indexOf(a) ? b : a))
  return {
    personal: strictest(({ personal }) => personal),
    words: strictest(({ words }) => words),
    secrets: strictest(({ secrets }) => secrets) as RedactionPolicy['secrets'],
    documents: Object.fromEntries(documentClasses.map((name) => [name, strictest(({ documents }) => documents[name])])) as Record<DocumentClass, RedactionAction>,
  }
}
