import { Fault } from '../kernel/fault.ts'
import { classify, dictionaryKinds, type RedactionAction, type RedactionPolicy } from '../labels/index.ts'

/** What stands for something that was taken out, and of which kind it was. What a text brought along as one is of the kind `text`. */
const standsFor = /\[\[([A-Z]{1,20}(?:_[A-Z]{1,20}){0,3})_\d{1,6}\]\]/g
const words = new Set(dictionaryKinds.map((kind) => kind.toUpperCase()))

/**
 * Of texts that were redacted: what a policy lets nobody hand on even so, and what becomes of it. Looks only at what is left, so that both gates find the same.
 */
export function refusedBy(policy: RedactionPolicy, texts: readonly string[]): { readonly what: string; readonly action: RedactionAction } | undefined {
  const text = texts.join('\n')
  const kinds = [...text.matchAll(standsFor)].map(([, kind]) => kind!).filter((kind) => kind !== 'TEXT')
  const found: { what: string; action: RedactionAction }[] = [
    ...classify(text).map(({ class: name, because }) => ({ what: `what reads like a ${name} document (${because.slice(0, 3).join(', ')})`, action: policy.documents[name] })),
    ...kinds.map((kind) => ({ what: `a ${kind.toLowerCase().replaceAll('_', ' ')}`, action: words.has(kind) ? policy.words : policy.personal })),
  ]
  return found.find(({ action }) => action === 'block') ?? found.find(({ action }) => action === 'local')
}

/** The refusal as a caller reads it; a call that is for local models goes on to one of them, where there is one. */
export function policyFault({ what, action }: { readonly what: string; readonly action: RedactionAction }): Fault {
  return action === 'local'
    ? new Fault('refused', 'redaction_local', `this call holds ${what}, which its lane gives to models of your own machines alone (lanes.NAME.redact in castellan.yaml)`, {})
    : new Fault('refused', 'redaction_blocked', `this call holds ${what}, which its lane hands on to no cloud model (lanes.NAME.redact in castellan.yaml)`, {})
}
