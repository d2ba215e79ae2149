import type { Level } from '../label.ts'
import type { Lane } from '../lane.ts'
import { documentClasses, type DocumentClass } from '../documents/terms.ts'

/**
 * What becomes of something that is found in a text on its way to a cloud model, the mildest first: `redact` takes it out and hands the rest on; `local`
 * gives the call to a model of one's own machines instead; `block` hands nothing on.
 */
export const redactionActions = ['redact', 'local', 'block'] as const
export type RedactionAction = (typeof redactionActions)[number]

/** The same for a text that a cloud model may have as it is, by its label: `pass` lets it go. */
export const asIsActions = ['pass', 'local', 'block'] as const
export type AsIsAction = (typeof asIsActions)[number]

interface ByKind<Action> {
  readonly personal: Action
  /** Of the operator's dictionary. */
  readonly words: Action
  readonly documents: Readonly<Record<DocumentClass, Action>>
}

/** By what is found. Secrets are handed on by no policy. */
export interface RedactionPolicy extends ByKind<RedactionAction> {
  readonly secrets: Exclude<RedactionAction, 'redact'>
}

export interface AsIsPolicy extends ByKind<AsIsAction> {
  readonly secrets: AsIsAction
}

/** What a doctor or a lawyer wrote says who it is about without any name. */
export const defaultPolicy: RedactionPolicy = { personal: 'redact', words: 'redact', secrets: 'block', documents: { legal: 'local', health: 'local', finance: 'redact' } }

/** A label says what a text may be, not that nobody pasted a key into it. */
export const defaultAsIs: AsIsPolicy = { personal: 'pass', words: 'pass', secrets: 'block', documents: { legal: 'pass', health: 'pass', finance: 'pass' } }

/** What has passed through several lanes obeys the strictest of each. */
export function policyOf(lanes: readonly string[], declared: readonly Lane[]): RedactionPolicy {
  return strictest(redactionActions, lanesOf(lanes, declared).map((lane) => lane?.redaction ?? defaultPolicy), defaultPolicy) as RedactionPolicy
}

/** For what may reach a cloud model at this level as it is. */
export function asIsPolicyOf(lanes: readonly string[], level: Level, declared: readonly Lane[]): AsIsPolicy {
  return strictest(asIsActions, lanesOf(lanes, declared).map((lane) => lane?.asIs?.[level] ?? defaultAsIs), defaultAsIs)
}

const lanesOf = (names: readonly string[], declared: readonly Lane[]) => names.map((name) => declared.find((lane) => lane.name === name))

type Policy<Action> = ByKind<Action> & { readonly secrets: Action }

function strictest<Action>(order: readonly Action[], policies: readonly Policy<Action>[], otherwise: Policy<Action>): Policy<Action> {
  if (policies.length === 0) return otherwise
  const of = (action: (policy: Policy<Action>) => Action) => policies.map(action).reduce((a, b) => (order.indexOf(b) > order.indexOf(a) ? b : a))
  return {
    personal: of(({ personal }) => personal),
    words: of(({ words }) => words),
    secrets: of(({ secrets }) => secrets),
    documents: Object.fromEntries(documentClasses.map((name) => [name, of(({ documents }) => documents[name])])) as Record<DocumentClass, Action>,
  }
}
