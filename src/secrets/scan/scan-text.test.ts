import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePatterns } from './find-known.ts'
import { knownForms } from './known-forms.ts'
import { scanText, type Sighting } from './scan-text.ts'

// put together here, so that this file is no finding itself
const token = ['ghp', '_', 'a8Bd2kLmQ0zXw7RtYv5NcJh3Pf6SgUe1Iro9'].join('')
const value = 'Ünter-den/Linden?77&x=1'

function wanted(values: Record<string, string> = {}) {
  const patterns = Object.entries(values).flatMap(([name, one]) => knownForms(name, one))
  return { patterns, finder: compilePatterns(patterns) }
}

function scan(text: string | Buffer, values: Record<string, string> = {}, size = 1 << 20): Sighting[] | undefined {
  const bytes = Buffer.from(text as string)
  const scanning = scanText(wanted(values))
  const found: Sighting[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const sightings = scanning.feed(bytes.subarray(at, at + size))
    if (sightings === undefined) return undefined
    found.push(...sightings)
  }
  return [...found, ...scanning.end()]
}

test('patterns are found wherever the bytes are cut, as a search for each of them would', () => {
  const word = fc.array(fc.constantFrom(97, 98, 99), { minLength: 1, maxLength: 5 })
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), fc.array(fc.constantFrom(97, 98, 99), { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (words, text, size) => {
    const patterns = words.map((bytes, index) => ({ name: String(index), bytes: Uint8Array.from(bytes) }))
    const finder = compilePatterns(patterns).start()
    const found: string[] = []
    for (let at = 0; at < text.length; at += size) found.push(...finder.feed(Uint8Array.from(text.slice(at, at + size))).map(({ pattern, end }) => `${pattern} ${end}`))
    const plain = Buffer.from(text)
    const expected = patterns.flatMap(({ bytes }, pattern) => [...plain.keys()].filter((start) => plain.subarray(start, start + bytes.length).equals(bytes)).map((start) => `${pattern} ${start + bytes.length - 1}`))
    assert.deepEqual(found.sort(), expected.sort())
  }))
})

const written: Record<string, string> = {
  'as it is': value,
  'in hexadecimal': Buffer.from(value).toString('hex'),
  'in hexadecimal, capitals': Buffer.from(value).toString('hex').toUpperCase(),
  'escaped in a URL': encodeURIComponent(value),
  'escaped in a form': new URLSearchParams({ q: `${value} ` }).toString(),
  'in base64': Buffer.from(value).toString('base64'),
  'in base64 of more': Buffer.from(`user:${value}\n`).toString('base64'),
  'in base64 of still more': Buffer.from(`xuser:${value}!`).toString('base64'),
  'in base64 for URLs': Buffer.from(`ab${value}cd`).toString('base64url'),
}
for (const [form, text] of Object.entries(written)) {
  test(`a secret of the house is found ${form}, on its line, and is not told`, () => {
    const found = scan(`first\nsecond "${text}" more\n`, { smtp: value })!
    assert.ok(found.length >= 1, form)
    assert.deepEqual(found.map(({ line, known }) => [line, known]), found.map(() => [2, true]))
    assert.match(found[0]!.kind, /^secret smtp, /)
    assert.doesNotMatch(JSON.stringify(found), /Linden/)
  })
}

test('a value in JSON is found with its escapes, and one of seven characters is looked for nowhere', () => {
  assert.equal(scan(JSON.stringify({ a: 'quo"te\\and more' }), { a: 'quo"te\\and more' })!.length, 1)
  assert.deepEqual(scan('seven77 and more', { a: 'seven77' }), [])
})

test('what looks like a secret has its line and kind, wherever the text is cut; a known one is told once', () => {
  const text = `one\n${'x'.repeat(300)}\nkey: ${token}\n\nlast ${token}`
  const whole = scan(text)!
  assert.deepEqual(whole.map(({ kind, line, known }) => [kind, line, known]), [['GitHub token', 3, false], ['GitHub token', 5, false]])
  for (const size of [1, 7, 64, 301]) assert.deepEqual(scan(text, {}, size), whole)
  assert.deepEqual(scan(text, { forge: token })!.map(({ kind, line }) => [kind, line]), [['secret forge, as it is', 3], ['secret forge, as it is', 5]])
})

test('in a line of megabytes each is found once, where two looks overlap too', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 2_300_000 }), { minLength: 1, maxLength: 6 }), fc.constantFrom(65_536, 1 << 20, 999_999), (places, size) => {
    const line = Buffer.alloc(2_400_000, ' ')
    const distinct = [...new Set(places.map((place) => Math.floor(place / 100) * 100))]
    for (const place of distinct) line.write(token, place)
    assert.equal(scan(line, {}, size)!.length, distinct.length)
  }), { numRuns: 15 })
})

test('a private key is known again by its body, wherever the text is cut', () => {
  const key = (body: string) => `${['-----BEGIN', 'OPENSSH PRIVATE KEY-----'].join(' ')}\n${body.repeat(30)}\n`
  const text = `${'line\n'.repeat(20)}${key('abcde')}${'line\n'.repeat(20)}`
  const whole = scan(text)!
  assert.deepEqual(whole.map(({ line }) => line), [21])
  for (const size of [1, 3, 64, 137, 150]) assert.deepEqual(scan(text, {}, size), whole)
  assert.notEqual(scan(key('vwxyz'))![0]!.value, whole[0]!.value)
})

test('what is no text is left alone, and a hostile line costs no more than another', () => {
  assert.equal(scan(Buffer.from([0x7f, 0x45, 0, 1, 2])), undefined)
  const began = performance.now()
  for (const unit of ['password=', 'eyJ', 'sk-', '://a:', 'basic ', 'AKIA']) scan(unit.repeat(3_000_000 / unit.length), { smtp: 'sk-sk-sk-sk-sk-sk-x' })
  assert.ok(performance.now() - began < 20_000, `${performance.now() - began} ms`)
})
