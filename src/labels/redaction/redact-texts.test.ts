import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { processorTime } from '../../../test/support/processor-time.ts'
import { createDictionary } from '../dictionary/dictionary.ts'
import { createTextRedactor, leftIn } from './redact-texts.ts'
import { createScanner } from './scanner.ts'

const mails = fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[a-z]{2,8}$/)).map(([name, host]) => `${name}@${host}.example`)
const ibans = fc.constantFrom('DE89370400440532013000', 'AT61 1904 3002 3457 3201', 'GB82-WEST-1234-5698-7654-32')
const value = fc.oneof(mails, ibans, fc.constantFrom('+49 30 1234567', '192.168.10.24', '4111 1111 1111 1111', '[[IBAN_1]]', '00:1A:2B:3C:4D:5E'))
const words = fc.constantFrom('please', 'write to', 'about', '[', '[[', ']]', '[[MAIL', 'ÄÖ', '\n', '"', '{', '7', ',')
/** Words and values in turns, with spaces between them. */
const texts = fc.array(fc.oneof({ weight: 2, arbitrary: words.map((word) => ({ word })) }, { weight: 1, arbitrary: value.map((value) => ({ value })) }), { maxLength: 12 })
type Parts = readonly ({ word: string } | { value: string })[]
const written = (parts: Parts) => parts.map((part) => ('word' in part ? part.word : part.value)).join(' ')

/** A text in pieces, cut at these places. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => text.slice(from, at[index] ?? text.length))
}

test('what is restored is what was redacted, wherever the answer is cut', () => {
  fc.assert(fc.property(texts, fc.array(fc.nat(500), { maxLength: 30 }), (parts, places) => {
    const text = written(parts)
    const redactor = createTextRedactor()
    const restoring = redactor.restoring()
    const restored = cut(redactor.redact(text), places).map((piece) => restoring.push(piece)).join('') + restoring.end()
    assert.equal(restored, text)
  }))
})

test('nothing that a detector sees is left in a text', () => {
  fc.assert(fc.property(texts, (parts) => assert.deepEqual(leftIn(createTextRedactor().redact(written(parts))), [])))
})

test('two texts that differ in what is taken out alone become the same bytes', () => {
  const both = fc.tuple(texts, mails, mails).filter(([, a, b]) => a !== b)
  fc.assert(fc.property(both, ([parts, a, b]) => {
    const with_ = (mail: string) => createTextRedactor().redact(`${written(parts.filter((part) => 'word' in part))} ${mail} and ${mail}`)
    assert.equal(with_(a), with_(b))
  }))
})

test('a conversation that grows keeps its beginning', () => {
  fc.assert(fc.property(texts, texts, (first, second) => {
    const [shorter, longer] = [createTextRedactor(), createTextRedactor()]
    assert.equal(longer.redact(written(first)), shorter.redact(written(first)))
    longer.redact(written(second))
    assert.equal(longer.redact(written(first)), shorter.redact(written(first)))
  }))
})

test('the same value has the same ordinal in every text of a request, and kinds are counted', () => {
  const redactor = createTextRedactor()
  assert.equal(redactor.redact('a@b.example, c@d.example, a@b.example'), '[[MAIL_ADDRESS_1]], [[MAIL_ADDRESS_2]], [[MAIL_ADDRESS_1]]')
  assert.equal(redactor.redact('c@d.example'), '[[MAIL_ADDRESS_2]]')
  assert.deepEqual(redactor.kinds(), { 'mail address': 4 })
})

test('a placeholder that a text brings along restores to itself and to no value', () => {
  const redactor = createTextRedactor()
  const redacted = redactor.redact('[[MAIL_ADDRESS_1]] is not a@b.example')
  assert.equal(redacted, '[[TEXT_1]] is not [[MAIL_ADDRESS_1]]')
  const restoring = redactor.restoring()
  assert.equal(restoring.push(redacted) + restoring.end(), '[[MAIL_ADDRESS_1]] is not a@b.example')
})

test('every text of a JSON value is looked at, keys and texts that are JSON among them', () => {
  const redactor = createTextRedactor()
  const value = { 'a@b.example': [{ deep: 'a@b.example' }, 7, null, true], inside: JSON.stringify({ note: 'c\\@"d', mail: 'a@b.example' }) }
  assert.deepEqual(redactor.redactJson(value), {
    '[[MAIL_ADDRESS_1]]': [{ deep: '[[MAIL_ADDRESS_1]]' }, 7, null, true],
    inside: JSON.stringify({ note: 'c\\@"d', mail: '[[MAIL_ADDRESS_1]]' }),
  })
})

test('what is encoded is taken out too, in any of the usual ways and twice over', () => {
  const mail = 'anna.arendt@museum.example'
  const base64 = Buffer.from(`write to ${mail} now`).toString('base64')
  const forms = [base64, Buffer.from(mail).toString('base64url'), Buffer.from(mail).toString('hex'), `https://x.example/?to=${encodeURIComponent(mail)}`, Buffer.from(base64).toString('base64'), Buffer.from(base64).toString('hex')]
  for (const form of forms) assert.match(createTextRedactor().redact(`see ${form} there`), /^see \S*\[\[MAIL_ADDRESS_1\]\] there$/, form)
  const harmless = `${Buffer.from('nothing to see in this sentence').toString('base64')} deadbeefdeadbeefdeadbeef 100%25`
  assert.equal(createTextRedactor().redact(harmless), harmless)
})

test('what is hidden by escapes, invisible or wide characters, or as a number, is not handed on, and the second scan sees it too', () => {
  const hidden = ['write to anna\\u0040museum.example', 'see {"to": "anna\\u0040museum.example"} and', 'anna\u200b@mus\u00adeum.example', 'anna＠museum.example', 'ＤＥ89370400440532013000']
  for (const text of hidden) {
    assert.ok(leftIn(text).length > 0, text)
    assert.throws(() => createTextRedactor().redact(text), { code: 'redaction_blocked' }, text)
  }
  for (const value of [{ default: 4111111111111111 }, [4111111111111111], '{"card": 4111111111111111}']) assert.throws(() => createTextRedactor().redactJson(value), { code: 'redaction_blocked' })
  const harmless = 'Grüße aus Köln – „ja“, \\u00fc, ﬁne, 👩\u200d💻'
  assert.equal(createTextRedactor().redact(harmless), harmless)
})

test('JSON of which nothing is taken out stays as it was written', () => {
  const text = '{ "id": 12345678901234567890, "x": 1.0 }'
  assert.deepEqual(createTextRedactor().redactJson({ text }), { text })
})

test('a secret is not handed on in any form, and the refusal does not say it', () => {
  const secret = 'ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5'
  assert.throws(() => createTextRedactor().redact(`use ${secret}`), (error: Error & { code?: string }) => error.code === 'redaction_blocked' && !error.message.includes(secret))
})

test('the operator’s own words are taken out and put back as they were written, hidden or not', () => {
  const scanner = createScanner({ dictionary: createDictionary([{ kind: 'name', words: ['Anna Müller', 'Annie'] }, { kind: 'project', words: ['Nordlicht'] }]).find })
  const redactor = createTextRedactor(scanner)
  const text = 'ANNA MUELLER (Annie) works on Nordlicht; Anna Müllers day, Annie’s way'
  const redacted = redactor.redact(text)
  assert.equal(redacted, '[[NAME_1]] ([[NAME_2]]) works on [[PROJECT_1]]; [[NAME_3]] day, [[NAME_2]]’s way')
  const restoring = redactor.restoring()
  assert.equal(restoring.push(redacted) + restoring.end(), text)
  assert.deepEqual(leftIn(redacted, scanner), [])
  assert.deepEqual(leftIn('ask Annie', scanner), ['name'])
  assert.deepEqual(leftIn('ask [[ANNIE_1]] about [[NAME_1]]', scanner), ['placeholder that nobody makes'])
  assert.equal(redactor.redact(`see ${Buffer.from('write to Anna Müller').toString('base64')}`), 'see [[NAME_4]]')
  for (const hidden of ['An\u200bnie', 'Ａnnie', 'An\\u006eie']) assert.ok(leftIn(hidden, scanner).length > 0, hidden)
})

test('sixteen times the text takes about sixteen times the time, whatever it repeats', () => {
  const cost = (text: string) => processorTime(() => void createTextRedactor().redact(text))
  // what grows with the square would take 256 times as long
  for (const part of ['a@', 'a@b.', '[[', '[[A_', '+4', '0 1', '1.', '00:', '4111 ', 'DE89', 'x', 'a@b.example ', ':// :', 'QUFB', 'ab', '%41', 'x%', 'x%4', 'YUBiLmV4YW1wbGUg']) {
    const [small, large] = [part.repeat(4_000), part.repeat(64_000)]
    const growth = () => (Math.min(cost(large), cost(large)) + 0.5) / (Math.min(...Array.from({ length: 5 }, () => cost(small))) + 0.5)
    cost(small)
    // a collection of garbage may hit one measurement; what grows too fast does so each time
    const ratios = [growth()]
    while (ratios.length < 5 && Math.min(...ratios) >= 64) ratios.push(growth())
    assert.ok(Math.min(...ratios) < 64, `${part}: sixteen times the text took ${ratios.map((ratio) => ratio.toFixed(1)).join(', ')} times as long`)
  }
})
