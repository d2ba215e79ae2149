import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { composeMail } from '../src/outbox/compose/mail.ts'
import { summaryOf } from '../src/tools/mail/message-summary.ts'
import { readMessage } from '../src/tools/mail/parse/read-message.ts'
import { outboxPropose } from '../src/tools/outbox/propose.ts'
import { textReplies } from '../src/tools/text/replies.ts'
import { textTriage } from '../src/tools/text/triage.ts'
import type { ToolContext } from '../src/tools/tool-context.ts'

const nowhere = {} as ToolContext
const at = new Date('2026-03-02T09:00:00Z')
const idOf = (n: number) => `019514a0-0000-7000-8000-00000000000${n}`

/** From the bytes of a mail to the bytes of its answer, on the way that a job takes it. */
async function answer(raw: Buffer, n: number, from: string): Promise<Buffer> {
  const { envelope, text } = await readMessage(Readable.from([raw]))
  const message = summaryOf({
    id: idOf(n), account: 'mira', folder: 'INBOX', receivedAt: at, size: raw.length, envelope, text, label: { level: 2, integrity: 'untrusted', lanes: ['private'] },
  })
  const triaged = await textTriage.run(nowhere, textTriage.input.parse({ messages: [message], rules: [{ category: 'meeting', words: ['thursday'] }] }))
  const replies = await textReplies.run(nowhere, textReplies.input.parse({ items: triaged.items, templates: { meeting: 'Thursday {{ name }}?' } }))
  const { proposals } = outboxPropose.input.parse({ connector: 'smtp', proposals: replies.proposals })
  const { key: _, kind: __, ...payload } = proposals[0]!
  return (await composeMail(payload, { id: idOf(n), nonce: 'ab'.repeat(32), at, from })).wire
}

test('an answer, and the answer to that, stand in the conversation with one Re:', async () => {
  const first = Buffer.from('From: Eva <eva@example.org>\r\nTo: mira@halden.example\r\nSubject: AW: Thursday 14:00\r\nMessage-ID: <q2@example.org>\r\nIn-Reply-To: <q1@example.org>\r\nReferences: <q0@example.org>\r\n <q1@example.org>\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n\r\nCould we move Thursday 14:00?\r\n')
  const ours = await answer(first, 1, 'Mira <mira@halden.example>')
  const theirs = await answer(ours, 2, 'Eva <eva@example.org>')
  const heads = await Promise.all([ours, theirs].map(async (raw) => (await readMessage(Readable.from([raw]))).envelope))
  assert.deepEqual(heads.map(({ subject, inReplyTo, references }) => ({ subject, inReplyTo, references })), [
    { subject: 'Re: Thursday 14:00', inReplyTo: '<q2@example.org>', references: ['<q0@example.org>', '<q1@example.org>', '<q2@example.org>'] },
    {
      subject: 'Re: Thursday 14:00', inReplyTo: `<${idOf(1)}@halden.example>`,
      references: ['<q0@example.org>', '<q1@example.org>', '<q2@example.org>', `<${idOf(1)}@halden.example>`],
    },
  ])
})

test('a letter whose names are nonsense is answered all the same, outside of any conversation', async () => {
  const odd = Buffer.from('From: Eva <eva@example.org>\r\nSubject: Thursday\r\nMessage-ID: <a b@x>\r\nReferences: nonsense <ü@x>\r\n\r\nThursday?\r\n')
  const { envelope } = await readMessage(Readable.from([await answer(odd, 3, 'mira@halden.example')]))
  assert.deepEqual([envelope.subject, envelope.inReplyTo, envelope.references], ['Re: Thursday', null, []])
})
