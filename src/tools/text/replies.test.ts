import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToolContext } from '../tool-context.ts'
import { textReplies } from './replies.ts'
import { categories, type TriageItem } from './triage-message.ts'

function item(more: Partial<TriageItem> = {}): TriageItem {
  return {
    id: 'm1', category: 'request', priority: 2, reasons: [], from: { name: 'Eva', address: 'eva@example.org' }, subject: 'A quote?',
    date: '2026-11-20T08:00:00Z', snippet: '', messageId: '<1@example.org>', inReplyTo: null, references: ['<0@example.org>'], action: 'reply', ...more,
  }
}
const templates = Object.fromEntries(categories.map((category) => [category, 'Dear {{ name }}, about "{{ subject }}": {{ item.category }}. {{ signature }}']))
const replies = (items: TriageItem[], given = templates) => textReplies.run({} as ToolContext, textReplies.input.parse({ items, templates: given, signature: 'Mira' }))

test('an answer goes to the sender, under its subject, with the key of the message', async () => {
  assert.deepEqual((await replies([item()])).proposals, [{
    key: 'm1', kind: 'mail', to: ['eva@example.org'], subject: 'Re: A quote?', text: 'Dear Eva, about "A quote?": request. Mira', inReplyTo: '<1@example.org>',
    references: ['<0@example.org>', '<1@example.org>'],
  }])
})

test('suspicious messages, newsletters and bounces are never answered, whatever their action says', async () => {
  const { proposals, skipped } = await replies((['suspicious', 'newsletter', 'bounce'] as const).map((category) => item({ category, id: category })))
  assert.deepEqual(proposals, [])
  assert.deepEqual(skipped.map(({ id }) => id), ['suspicious', 'newsletter', 'bounce'])
})

test('what asks for no answer, has no template or has nobody who reads answers is left out with the reason', async () => {
  const { proposals, skipped } = await replies([
    item({ id: 'a', action: 'review' }), item({ id: 'b', category: 'invoice' }), item({ id: 'c', from: { name: '', address: 'no-reply@shop.example' } }), item({ id: 'd', from: { name: '', address: '' } }),
  ], { request: 'x' })
  assert.deepEqual(proposals, [])
  assert.deepEqual(skipped.map(({ id }) => id), ['a', 'b', 'c', 'd'])
  assert.match(skipped[1]!.reason, /no template for invoice/)
})

test('the subject has one Re: and nothing that hides', async () => {
  const subjects = ['Re: AW: re[2]: Hello', 'Hello\r\nBcc: x@y.example', 'H\u202eello', '', 'x'.repeat(600)]
  const { proposals } = await replies(subjects.map((subject, index) => item({ subject, id: String(index) })))
  assert.deepEqual(proposals.slice(0, 4).map(({ subject }) => subject), ['Re: Hello', 'Re: Hello Bcc: x@y.example', 'Re: H ello', 'Re: (no subject)'])
  assert.equal(proposals[4]!.subject.length, 400)
})

test('a stranger\'s subject is data of the template and not a part of it', async () => {
  const { proposals } = await replies([item({ subject: '{{ signature }} {% assign x = 1 %}' })])
  assert.match(proposals[0]!.text, /\{\{ signature \}\} \{% assign x = 1 %\}/)
})
