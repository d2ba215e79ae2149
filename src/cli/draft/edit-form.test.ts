import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readForm, writeForm } from './edit-form.ts'

const words = { recipients: { to: ['Ott, Max <max@example.org>', 'eva@example.org'], cc: [], bcc: ['ina@example.org'] }, subject: 'Re: a: b', text: '\n# a heading\nTo: nobody\n\nEnd\n' }

test('what is written is read again, whatever the text looks like', () => {
  assert.deepEqual(readForm(writeForm(words, 'one\ntwo')), words)
  fc.assert(fc.property(fc.string(), (text) => assert.equal(readForm(writeForm({ ...words, text }, 'x')).text, text)))
})

test('several addresses may stand on a line; a comma in a name makes no second one', () => {
  const { recipients } = readForm('to: a@x.de, B <b@x.de>\nTO: Ott, Max <max@x.de>\nBcc:\n\ntext')
  assert.deepEqual(recipients, { to: ['a@x.de', 'B <b@x.de>', 'Ott, Max <max@x.de>'], cc: [], bcc: [] })
})

test('a line that is none of the head is an error, and no text is an empty one', () => {
  assert.throws(() => readForm('To: a@x.de\nFrom: boss@x.de\n\n'), { code: 'draft.form', message: /From: boss/ })
  assert.throws(() => readForm('Subject: a\nSubject: b\n\n'), { code: 'draft.form' })
  assert.deepEqual(readForm('To: a@x.de\r\nSubject: s\r\n\r\nline\r\n'), { recipients: { to: ['a@x.de'], cc: [], bcc: [] }, subject: 's', text: 'line\r\n' })
  assert.equal(readForm('To: a@x.de').text, '')
})
