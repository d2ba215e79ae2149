import MarkdownIt from 'markdown-it'
import { Fault } from '../../kernel/fault.ts'

/** Addresses that listmonk fills in for each reader; while the Markdown is read, something that is an address stands for them. */
const places = { UnsubscribeURL: 'https://unsubscribe.castellan.invalid/', MessageURL: 'https://message.castellan.invalid/' } as const
const placeholder = /\{\{ ?(UnsubscribeURL|MessageURL) ?\}\}/g

// without HTML of its own: what is written is shown, and what is not shown is not mailed
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false })

/**
 * Markdown as the HTML that listmonk mails. What listmonk would carry out as a template, it refuses: all but the two addresses.
 * @throws Fault `newsletter.template`, `newsletter.unsubscribe`
 */
export function renderNewsletter(text: string): { readonly html: string; readonly text: string } {
  if (/castellan\.invalid/i.test(text)) throw refused('it holds an address under castellan.invalid')
  const html = markdown.render(text.replace(placeholder, (_, name: keyof typeof places) => places[name]))
  checkTemplates(text.replace(placeholder, ''))
  // a character may have been written by its number
  checkTemplates(html)
  if (!html.includes(`href="${places.UnsubscribeURL}"`)) {
    throw new Fault('invalid', 'newsletter.unsubscribe', 'nobody could unsubscribe: write a link to it, e.g. [Unsubscribe]({{ UnsubscribeURL }})')
  }
  const filled = Object.entries(places).reduce((page, [name, address]) => page.replaceAll(address, `{{ ${name} }}`), html)
  const plain = text.replace(placeholder, (_, name: string) => `{{ ${name} }}`)
  if (/\{\{\{|\}\}\}/.test(`${filled}\n${plain}`)) throw refused('a brace stands beside an address that listmonk fills in')
  return { html: filled, text: plain }
}

/** @throws Fault `newsletter.template` */
export function checkTemplates(text: string): void {
  if (/\{\{|\}\}/.test(text)) throw refused('it holds {{ or }}, which listmonk would carry out')
  if (/@TrackLink/i.test(text)) throw refused('it holds @TrackLink, which listmonk would make something else of')
}

function refused(why: string): Fault {
  return new Fault('invalid', 'newsletter.template', `${why}; known are {{ UnsubscribeURL }} and {{ MessageURL }}`)
}
