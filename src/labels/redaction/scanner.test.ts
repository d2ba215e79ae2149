import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createTextRedactor, leftIn } from './redact-texts.ts'
import { scanText } from './scan-text.ts'
import { createScanner } from './scanner.ts'

const parts = fc.constantFrom('anna@museum.example', 'write to', ' ', '[[MAIL_ADDRESS_1]]', '[[TEXT_2]]', 'DE89370400440532013000', '+49 30 1234567', '\u00A0', '…', '\u200b', '＠', '\ud800', '@', '.example', '0', 'born ', '1984-03-12', '\\u0040', 'QW5uYUBtdXNldW0uZXhhbXBsZQ==')
const texts = fc.array(parts, { maxLength: 14 }).map((some) => some.join(''))
/** Long enough to be remembered. */
const longTexts = texts.map((text) => text + ' and so on'.repeat(30))

test('what is remembered of a text is what scanning it anew gives', () => {
  const [remembering, forgetful] = [createScanner(), createScanner({ cacheBytes: 0 })]
  fc.assert(fc.property(longTexts, (text) => {
    const first = remembering.scan(text)
    assert.deepEqual(first, forgetful.scan(text))
    assert.equal(remembering.scan(text), first, 'it is the same object, so it was remembered')
  }))
})

test('two texts that UTF-8 cannot tell apart are not one', () => {
  const scanner = createScanner()
  const rest = ' and so on'.repeat(30)
  assert.notEqual(scanner.scan(`\ud800${rest}`), scanner.scan(`\ud801${rest}`))
})

test('what was asked for longest ago is forgotten when there is no more room', () => {
  const scanner = createScanner({ cacheBytes: 750 })
  const textOf = (word: string) => word.repeat(300)
  const first = scanner.scan(textOf('a'))
  const second = scanner.scan(textOf('b'))
  scanner.scan(textOf('c'))
  assert.equal(scanner.scan(textOf('a')), first)
  scanner.scan(textOf('d'))
  assert.notEqual(scanner.scan(textOf('b')), second)
  assert.equal(scanner.scan(textOf('a')), first)
})

test('the second scan finds nothing in what was redacted, whatever stood beside it and whatever its ordinal', () => {
  fc.assert(fc.property(fc.array(texts, { minLength: 1, maxLength: 3 }), (some) => {
    const redactor = createTextRedactor()
    for (const text of some) {
      let redacted: string
      try {
        redacted = redactor.redact(text)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'redaction_blocked')
        return
      }
      assert.deepEqual(leftIn(redacted), [], redacted)
    }
  }), { numRuns: 400 })
})

test('what comes to light when something is taken out is taken out with it, and with what the gap stood for', () => {
  const see = (text: string) => [...text.matchAll(/ab|x\[\[\]\]y/g)].map((match) => ({ kind: 'found', level: 1 as const, start: match.index, end: match.index + match[0].length }))
  const text = '.. xaby .. ab .. xab'
  assert.deepEqual(scanText(text, see).spans.map(({ start, end }) => text.slice(start, end)), ['xaby', 'ab', 'ab'])
})

test('a number whose spaces do not break is taken out', () => {
  assert.equal(createTextRedactor().redact('tél. +33\u00A06\u202F12\u00A034\u00A056\u00A078 …'), 'tél. [[PHONE_NUMBER_1]] …')
})
