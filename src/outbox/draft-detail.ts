import { Fault } from '../kernel/fault.ts'
import { answeredBy, describeTaint, showAnswered } from './answered-mail.ts'
import { isAboutPaths } from './acts/outbound-act.ts'
import { headersOfWire, textOfWire } from './compose/read-wire.ts'
import { challengeOf, sha256, type DraftDocument } from './document.ts'
import { tellHistory } from './draft-history.ts'
import type { Draft } from './draft.ts'
import { findAnsweredMail, findDraft, historyOf } from './draft-queries.ts'
import type { Queryable } from './draft-store.ts'
import { readLeniently, summarize } from './draft-summary.ts'
import { linkLines, linksIn } from './links.ts'

/** All that the operator has to see before he signs, and what the signature is computed over. @throws Fault `draft.missing` */
export async function readDraftDetail(query: Queryable, id: string, now: Date) {
  const draft = await findDraft(query, id)
  if (!draft) throw new Fault('missing', 'draft.missing', `there is no draft ${id}`)
  const summary = summarize(draft, now)
  const { document } = readLeniently(draft)
  const hash = sha256(draft.wire)
  const intact = document !== undefined && document.wire.sha256 === hash && document.wire.length === draft.wire.length
  const [history, answered] = await Promise.all([historyOf(query, draft.proposalId), intact ? findAnswered(query, draft.wire) : undefined])
  const answers = answered === undefined ? null : showAnswered(answered)
  const text = intact ? textOfWire(draft.wire) : null
  const links = intact && !isAboutPaths(draft.kind) ? linksIn(`${document.title}\n${text}`) : []
  return {
    ...summary,
    problem: summary.problem ?? (intact ? null : 'the stored bytes are not those that the document names'),
    rollback: document?.rollback ?? null,
    /** The text that stands in the bytes, decoded. */
    text,
    /** The head of the bytes, line by line. */
    headers: intact ? headersOfWire(draft.wire) : [],
    links: linkLines(links),
    link_warnings: links.filter(({ warning }) => warning !== null).map(({ url, warning }) => ({ url, warning })),
    taint: document === undefined ? null : describeTaint(draft.label, document.origin, answers),
    run: document === undefined || document.origin.run === null ? null : { id: document.origin.run, job: document.origin.job, step: document.origin.step },
    answers,
    first: await firstOf(query, draft, document, text, history.drafts),
    /** Canonical JSON, exactly as it is signed. */
    document: draft.document,
    wire: draft.wire.toString('base64'),
    sha256: hash,
    /** SHA-256("castellan/1" ‖ document), hex; the signature is over its 32 bytes. */
    challenge: challengeOf(draft.document).toString('hex'),
    history: tellHistory(history),
  }
}

export type DraftDetail = Awaited<ReturnType<typeof readDraftDetail>>

async function findAnswered(query: Queryable, wire: Buffer) {
  const messageId = answeredBy(wire)
  return messageId === undefined ? undefined : findAnsweredMail(query, messageId)
}

/** What was frozen first of this act, when the operator has changed it since; for the difference to be shown. */
async function firstOf(query: Queryable, draft: Draft, document: DraftDocument | undefined, text: string | null, drafts: readonly Draft[]) {
  const first = drafts.find(({ replaces }) => replaces === null)
  if (document === undefined || first === undefined || first.id === draft.id) return null
  const whole = await findDraft(query, first.id)
  const { document: said } = whole ? readLeniently(whole) : { document: undefined }
  if (!whole || !said || said.wire.sha256 !== sha256(whole.wire)) return null
  const shown = { draft: first.id, title: said.title, recipients: said.recipients, text: textOfWire(whole.wire) }
  const same = shown.title === document.title && shown.text === text && JSON.stringify(shown.recipients) === JSON.stringify(document.recipients)
  return same ? null : shown
}
