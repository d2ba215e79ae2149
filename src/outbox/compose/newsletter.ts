import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { matches } from '../../house/index.ts'
import { counted, peopleOn, type AddressedList } from '../acts/newsletter-act.ts'
import type { Composed, Finding, Frame } from './composed.ts'
import { composeOutbound, readPayload } from './outbound.ts'
import { readBody, refuseControls } from './text.ts'

const payloadSchema = z.strictObject({ subject: z.string().min(1).max(250), lists: z.array(z.string().min(1).max(200)).min(1).max(20), text: z.string().min(1).max(200_000) })

export interface NewsletterPlace {
  readonly url: string
  readonly from: string
  /** Patterns of the lists that may be mailed to. */
  readonly lists: readonly string[]
  readonly template: number | null
  /** Every list that is there now, with those who would get it. */
  look(): Promise<readonly AddressedList[]>
}

/** A newsletter to lists by their names, with how many people these are now. @throws Fault `draft.payload`, `newsletter.*`, `mail.control` */
export async function composeNewsletter(payload: unknown, frame: Frame, { url, from, lists: allowed, template, look }: NewsletterPlace): Promise<Composed> {
  const read = readPayload(payloadSchema, payload, 'newsletter')
  refuseControls('subject', read.subject)
  // the library is loaded by a house that mails newsletters, and by no other
  const { checkTemplates, renderNewsletter } = await import('./markdown.ts')
  checkTemplates(read.subject)
  const { html, text } = renderNewsletter(readBody('text', read.text))
  const known = await look()
  const lists = [...new Set(read.lists)].map((name) => listOf(name, known, allowed))
  const people = lists.reduce((sum, list) => sum + list.people, 0)
  if (people === 0) throw new Fault('refused', 'newsletter.nobody', `nobody is on ${lists.map(({ name }) => name).join(', ')}`)
  const { host } = new URL(url)
  const findings: Finding[] = [{ add: people > 1_000 ? 3 : people > 100 ? 2 : 1, why: `it goes to ${peopleOn(lists)}` }]
  return composeOutbound({ kind: 'newsletter.send', url, campaign: `${read.subject} [${frame.id}]`, from, subject: read.subject, lists, text, html, template }, frame, {
    title: `Newsletter to ${peopleOn(lists)}: ${read.subject}`, to: lists.map((list) => `${list.name}, ${counted(list.people)} <list ${list.name} at ${host}>`), findings,
    undo: 'Afterwards, while it is being mailed: `castellan draft undo` cancels the rest, and says how many have got it. Nothing calls back what has left; write a correction.',
  })
}

/** @throws Fault `newsletter.list` */
function listOf(name: string, known: readonly AddressedList[], allowed: readonly string[]): AddressedList {
  if (!allowed.some((pattern) => matches(pattern, name))) throw new Fault('refused', 'newsletter.list', `${JSON.stringify(name)} is not among the lists that castellan.yaml allows: ${allowed.join(', ')}`)
  const found = known.filter((list) => list.name === name)
  if (found.length !== 1) throw new Fault('refused', 'newsletter.list', found.length === 0 ? `there is no list ${JSON.stringify(name)}` : `${found.length} lists are called ${JSON.stringify(name)}; rename one of them`)
  refuseControls('lists', name)
  if (/[<>]/.test(name)) throw new Fault('refused', 'newsletter.list', `the list ${JSON.stringify(name)} cannot be shown as a recipient; take < and > out of its name`)
  return found[0]!
}
