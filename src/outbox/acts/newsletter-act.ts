import type { ActFrame } from './outbound-act.ts'

export interface AddressedList {
  readonly id: number
  readonly name: string
  /** Who would get it when this was frozen. */
  readonly people: number
}

/** One mail to everybody on lists of a listmonk. */
export interface NewsletterAct extends ActFrame {
  readonly kind: 'newsletter.send'
  readonly url: string
  /** What its campaign is called there, with the id of the draft, by which it is known again. */
  readonly campaign: string
  readonly from: string
  readonly subject: string
  readonly lists: readonly AddressedList[]
  /** As Markdown, for programs that show no HTML. */
  readonly text: string
  readonly html: string
  /** Null: the one that is usual there. */
  readonly template: number | null
}

export const newsletterShape = {
  url: 'string', campaign: 'string', from: 'string', subject: 'string', lists: { list: { fields: { id: 'number', name: 'string', people: 'number' } } }, text: 'string', html: 'string', template: 'number or null',
} as const

export function wordsOfNewsletter({ url, campaign, from, subject, lists, text, html, template }: NewsletterAct): string {
  return [
    `Mail this newsletter to ${peopleOn(lists)}, by ${url}:`,
    ...lists.map((list) => `${list.name} (list ${list.id}): ${counted(list.people)}`),
    'Who subscribes until it starts gets it too; when they are more by a tenth, it is not started.',
    `From: ${from}`,
    `Subject: ${subject}`,
    `It is put into ${template === null ? 'the usual template' : `template ${template}`} of listmonk, which is no part of what you sign. The address to unsubscribe at is each reader's own.`,
    `Its campaign is called: ${campaign}`,
    '',
    text,
    '',
    'As it is mailed in HTML:',
    html,
    '',
  ].join('\n')
}

/** `4,000 people`. Who is on two lists gets it once, and nobody says how many these are. */
export function peopleOn(lists: readonly AddressedList[]): string {
  const sum = lists.reduce((total, { people }) => total + people, 0)
  return `${lists.length > 1 ? 'at most ' : ''}${counted(sum)}`
}

export function counted(people: number): string {
  return `${String(people).replace(/\B(?=(?:\d{3})+$)/g, ',')} ${people === 1 ? 'person' : 'people'}`
}
