import { Fault } from '../kernel/fault.ts'
import { classify, dictionaryKinds, type AsIsAction, type AsIsPolicy, type DocumentClass, type Level, type RedactionAction, type RedactionPolicy, type Scanner } from '../labels/index.ts'

/** What stands for something that was taken out, and of which kind it was. What a text brought along as one is of the kind `text`. */
const standsFor = /\[\[([A-Z]{1,20}(?:_[A-Z]{1,20}){0,3})_\d{1,6}\]\]/g
const words = new Set(dictionaryKinds.map((kind) => kind.toUpperCase()))

/**
 * Of texts that were redacted: what a policy lets nobody hand on even so, and what becomes of it. Looks only at what is left, so that both gates find the same.
 */
export function refusedBy(policy: RedactionPolicy, texts: readonly string[]): Found<RedactionAction> | undefined {
  const text = texts.join('\n')
  const kinds = [...text.matchAll(standsFor)].map(([, kind]) => kind!).filter((kind) => kind !== 'TEXT')
  return gravest([
    ...documentsIn(text, policy.documents),
    ...kinds.map((kind) => ({ what: `a ${kind.toLowerCase().replaceAll('_', ' ')}`, action: words.has(kind) ? policy.words : policy.personal })),
  ])
}

/**
 * Of texts that a cloud model may have as they are, by their label.
 * @throws Fault `text_blocked` or `text_local` where the policy of their lanes lets none have them even so
 */
export function checkAsIs(policy: AsIsPolicy, scanner: Scanner, texts: () => readonly string[]): void {
  const looksAt = { spans: [policy.personal, policy.words, policy.secrets].some((action) => action !== 'pass'), documents: Object.values(policy.documents).some((action) => action !== 'pass') }
  if (!looksAt.spans && !looksAt.documents) return
  const spoken = texts().filter((text) => !attachment.test(text))
  const found = gravest([
    ...(looksAt.documents ? documentsIn(spoken.join('\n'), policy.documents) : []),
    ...(looksAt.spans ? spoken : []).flatMap((text) => scanner.scan(text).spans.map(({ kind, level }) => ({ what: `a ${kind}`, action: asIsActionOf(policy, kind, level) }))),
  ])
  if (found) throw asIsFault(found)
}

function asIsActionOf({ personal, words: ofDictionary, secrets }: AsIsPolicy, kind: string, level: Level): AsIsAction {
  if (level === 3) return secrets
  return dictionaryKinds.some((own) => own === kind) ? ofDictionary : personal
}

interface Found<Action> {
  readonly what: string
  readonly action: Action
}

/** A picture or a file, as wires carry them. */
const attachment = /^(?:data:[\w/.+;=-]{1,200},)?[\w+/=-]{10000,}$/

function documentsIn<Action>(text: string, documents: Readonly<Record<DocumentClass, Action>>): Found<Action>[] {
  return classify(text).map(({ class: name, because }) => ({ what: `what reads like a ${name} document (${because.slice(0, 3).join(', ')})`, action: documents[name] }))
}

function gravest<Action extends string>(found: readonly Found<Action>[]): Found<Action> | undefined {
  return found.find(({ action }) => action === 'block') ?? found.find(({ action }) => action === 'local')
}

/** The refusal as a caller reads it; a call that is for local models goes on to one of them, where there is one. */
export function policyFault({ what, action }: { readonly what: string; readonly action: RedactionAction }): Fault {
  return action === 'local'
    ? new Fault('refused', 'redaction_local', `this call holds ${what}, which its lane gives to models of your own machines alone (lanes.NAME.redact in castellan.yaml)`, {})
    : new Fault('refused', 'redaction_blocked', `this call holds ${what}, which its lane hands on to no cloud model (lanes.NAME.redact in castellan.yaml)`, {})
}

function asIsFault({ what, action }: Found<AsIsAction>): Fault {
  return action === 'local'
    ? new Fault('refused', 'text_local', `this call holds ${what}, which its lane gives to models of your own machines alone (lanes.NAME.as_is in castellan.yaml)`, {})
    : new Fault('refused', 'text_blocked', `this call holds ${what}, which its lane gives to no cloud model although the label would allow it; take it out, ask a model on your own machines, or let it pass (lanes.NAME.as_is in castellan.yaml)`, {})
}
