import { simpleParser, type AddressObject } from 'mailparser'
import { Fault } from '../../kernel/fault.ts'
import { challengeOf, isOutboundKind, readClearance, readDocument, readMailboxAct, readOutboundAct, sha256, textOfClearance, textOfMailboxAct, titleOfClearance, wordsOfAct, type DraftDocument } from '../../outbox/index.ts'
import type { ReleaserDraft } from './releaser-draft.ts'

/** A draft whose document and bytes were computed anew here, on the operator's side. */
export interface VerifiedDraft {
  readonly document: DraftDocument
  /** The text that stands in the bytes. */
  readonly text: string
  /** SHA-256 of the bytes, hex. */
  readonly sha256: string
  /** What is signed: SHA-256("castellan/1" ‖ document). */
  readonly challenge: Buffer
}

/**
 * Believes nothing but the document and the bytes: the document is canonical and of this draft, the bytes are those it
 * names, and what stands in them is what it says.
 * @throws Fault `draft.document`, `draft.mismatch`, `draft.swept`
 */
export async function verifyDraft(shown: Pick<ReleaserDraft, 'id' | 'document' | 'wire'>): Promise<VerifiedDraft> {
  if (shown.document === '') {
    throw new Fault('missing', 'draft.swept', `draft ${shown.id} was closed so long ago that what it said is gone; its hashes are in the audit (castellan audit show ${shown.id})`)
  }
  const document = readDocument(shown.document)
  const wire = Buffer.from(shown.wire, 'base64')
  const hash = sha256(wire)
  if (document.id !== shown.id) throw mismatch(shown.id, `the document is that of draft ${document.id}`)
  if (hash !== document.wire.sha256 || wire.length !== document.wire.length) throw mismatch(shown.id, 'the bytes are not those that the document names')
  return { document, text: await readText(document, wire), sha256: hash, challenge: challengeOf(shown.document) }
}

async function readText(document: DraftDocument, wire: Buffer): Promise<string> {
  if (document.kind === 'mail') return readMail(document, wire)
  if (document.kind === 'mail.move' || document.kind === 'mail.flag') return readAct(document, wire)
  if (document.kind === 'lane.clear' || document.kind === 'model.own') return readCleared(document, wire)
  if (isOutboundKind(document.kind)) return readOutbound(document, wire)
  return wire.toString('utf8')
}

/** What is cleared by an act, in words that are made of its bytes alone. */
function readCleared(document: DraftDocument, wire: Buffer): string {
  const act = readClearance(wire)
  const differs = act.act !== document.kind && 'the kind of act' || titleOfClearance(act) !== document.title && 'the title'
  if (differs) throw mismatch(document.id, `${differs} in the bytes differs from what the document says`)
  return textOfClearance(act)
}

/** An act whose bytes say all of it, in words that are made of them alone. */
function readOutbound(document: DraftDocument, wire: Buffer): string {
  const act = readOutboundAct(wire)
  if (act?.kind !== document.kind) throw mismatch(document.id, 'the bytes are no act of the kind that the document says')
  if (act.account !== document.account) throw mismatch(document.id, 'the account in the bytes differs from what the document says')
  if (act.draft !== document.id && document.replaces === null) throw mismatch(document.id, 'the draft in the bytes differs from what the document says')
  return wordsOfAct(act)
}

/** What an act in a mailbox does, in words that are made of its bytes alone. */
function readAct(document: DraftDocument, wire: Buffer): string {
  const act = readMailboxAct(wire)
  const differs =
    // an approval that was taken back leaves the same bytes to a new draft
    act.draft !== document.id && document.replaces === null && 'the draft'
    || `mail.${act.act}` !== document.kind && 'the kind of act'
    || act.message.account !== document.from && 'the mailbox'
    || act.act === 'move' && !document.title.startsWith(`Move to ${act.to}: `) && 'the folder'
  if (differs) throw mismatch(document.id, `${differs} in the bytes differs from what the document says`)
  return textOfMailboxAct(act)
}

/** The text of a mail, whose head and parts must say what the document says. */
async function readMail(document: DraftDocument, wire: Buffer): Promise<string> {
  const mail = await simpleParser(wire, { skipImageLinks: true, skipTextToHtml: true })
  const differs =
    oneLine(mail.subject ?? '') !== oneLine(document.title) && 'the subject'
    || !sameAddresses(mail.from, [document.from]) && 'the sender'
    || !sameAddresses(mail.to, document.recipients.to) && 'the recipients'
    || !sameAddresses(mail.cc, document.recipients.cc) && 'the copies'
    || mail.bcc !== undefined && 'the hidden copies'
    || mail.html !== false && 'a second form of the text'
    || !sameList(mail.attachments.map(({ content }) => sha256(content)), document.attachments.map((attachment) => attachment.sha256)) && 'the attachments'
  if (differs) throw mismatch(document.id, `${differs} in the bytes differs from what the document says`)
  return (mail.text ?? '').replaceAll('\r\n', '\n')
}

/** Long subjects are folded over several lines on the wire. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function sameAddresses(found: AddressObject | AddressObject[] | undefined, said: readonly string[]): boolean {
  const inBytes = [found ?? []].flat().flatMap(({ value }) => value.map(({ address }) => (address ?? '').toLowerCase()))
  const inDocument = said.map((shown) => (/<([^<>]*)>$/.exec(shown)?.[1] ?? shown).toLowerCase())
  return sameList(inBytes.sort(), inDocument.sort())
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, place) => one === b[place])
}

function mismatch(id: string, what: string): Fault {
  return new Fault('refused', 'draft.mismatch', `draft ${id} cannot be signed: ${what}. Deny it, and look into the releaser's log`)
}
