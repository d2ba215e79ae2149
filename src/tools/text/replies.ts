import { z } from 'zod'
import { renderTemplate } from '../../house/index.ts'
import { defineTool } from '../define-tool.ts'
import { threadOfAnswer } from './thread.ts'
import { categories, triageItemSchema, type TriageItem } from './triage-message.ts'

/** Whatever a rule says: an answer to these helps a deceiver, or nobody. */
const unanswered: readonly string[] = ['suspicious', 'newsletter', 'bounce']
const nobody = /^(?:no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?|notifications?)([+@.-]|$)/i

export const textReplies = defineTool({
  name: 'text.replies',
  summary: 'Make proposals of answers from templates, for triaged messages that ask for one',
  effect: 'read',
  input: z.strictObject({
    items: z.array(triageItemSchema).max(500).describe('as text.triage gives them'),
    templates: z.partialRecord(z.enum(categories), z.string().max(20_000)).describe('a Liquid template by category; it reads `name`, `subject`, `signature` and the whole `item`'),
    signature: z.string().max(2_000).default(''),
  }),
  output: z.object({
    proposals: z.array(z.object({
      key: z.string(), kind: z.literal('mail'), to: z.array(z.string()), subject: z.string(), text: z.string(), inReplyTo: z.string().nullable(),
      references: z.array(z.string()),
    })),
    skipped: z.array(z.object({ id: z.string(), reason: z.string() })),
  }),
  async run(_context, { items, templates, signature }) {
    const skipped: { id: string; reason: string }[] = []
    const proposals = items.flatMap((item) => {
      const template = templates[item.category]
      const reason = whyNot(item, template)
      if (reason !== undefined || template === undefined) {
        skipped.push({ id: item.id, reason: reason ?? '' })
        return []
      }
      const text = renderTemplate(template, { item, signature, name: item.from.name || item.from.address, subject: item.subject }).trim()
      return [{ key: item.id, kind: 'mail' as const, to: [item.from.address], subject: replySubject(item.subject), text, ...threadOfAnswer(item) }]
    })
    return { proposals, skipped }
  },
})

function whyNot(item: TriageItem, template: string | undefined): string | undefined {
  if (unanswered.includes(item.category)) return `${item.category} messages are never answered by a template`
  if (item.action !== 'reply') return `its action is ${item.action}`
  if (template === undefined) return `there is no template for ${item.category}`
  if (!item.from.address.includes('@') || nobody.test(item.from.address)) return 'nobody reads answers to its sender'
  return undefined
}

/** One "Re:", whatever was there before, and nothing invisible. */
function replySubject(subject: string): string {
  const clean = subject.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g, ' ').trim()
  return `Re: ${clean.replace(/^(?:(?:re|aw|antw|sv)\s*(?:\[\d+\])?:\s*)+/i, '') || '(no subject)'}`.slice(0, 400).toWellFormed()
}
