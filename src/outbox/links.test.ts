import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../test/support/processor-time.ts'
import { linkLines, linksIn } from './links.ts'

const urls = (text: string) => linksIn(text).map(({ url }) => url)

test('every address is shown in full and once, in the order of the text, without the punctuation after it', () => {
  assert.deepEqual(urls('See https://example.org/a?b=c. And (https://example.org/a?b=c), http://plain.example/x!'), ['https://example.org/a?b=c', 'http://plain.example/x'])
  assert.deepEqual(urls('shop.example/pay, then https://example.org'), ['shop.example/pay', 'https://example.org'])
  assert.deepEqual(urls(`https://x.example/it's/there#${'a'.repeat(3000)}`), [`https://x.example/it's/there#${'a'.repeat(3000)}`])
})

test('a bracket that was opened in the address belongs to it', () => {
  assert.deepEqual(urls('(see https://en.example/wiki/Foo_(bar))'), ['https://en.example/wiki/Foo_(bar)'])
  assert.deepEqual(urls('[https://en.example/a]'), ['https://en.example/a'])
})

test('what a mail program makes a link of without a scheme is one', () => {
  assert.deepEqual(urls('Go to www.evil.example, pay.evil.co.uk/now?id=1 or evil.zip; mailto:eve@evil.example'), ['www.evil.example', 'pay.evil.co.uk/now?id=1', 'evil.zip', 'mailto:eve@evil.example'])
  assert.deepEqual(urls('evil.com:8080/x and EVIL.COM'), ['evil.com:8080/x', 'EVIL.COM'])
})

test('what only looks like one is none', () => {
  for (const text of ['z.B. am 12.03. um 10.15 Uhr', 'd.h. u.a.', 'the plan.pdf is attached', 'eva@example.org', '3.5 und 1.000,00 EUR', 'Ende. Anfang', '...', 'a:b', 'Tel: 030 1234', 'https://']) assert.deepEqual(urls(text), [], text)
})

test('an address that leads elsewhere than it looks is said to', () => {
  const warnings = (text: string) => linksIn(text).map((link) => link.warning)
  assert.match(warnings('https://bank.example@evil.example/')[0]!, /leads to evil\.example/)
  assert.match(warnings('https://pаypal.com/')[0]!, /xn--/)
  assert.match(warnings('http://192.168.0.1/')[0]!, /number/)
  assert.match(warnings('http://example.org/')[0]!, /not encrypted/)
  assert.deepEqual(warnings('https://example.org/ example.org mailto:a@b.example'), [null, null, null])
  assert.match(warnings('https://exa mple.org:99999999/ https://[x/')[1]!, /not a valid/)
})

test('letters of another alphabet show in the ASCII form of the address as well', () => {
  assert.deepEqual(linkLines(linksIn('https://pаypal.com/login and bücher.example/x')), ['https://pаypal.com/login', 'https://xn--pypal-4ve.com/login', 'bücher.example/x', 'xn--bcher-kva.example/x'])
  // a full-width dot, and a character without width, make the same name of other letters
  assert.deepEqual(linkLines(linksIn('evil。example/x')), ['evil。example/x', 'evil.example/x'])
  assert.equal(linkLines(linksIn('https://pay\u200bpal.com/'))[1], 'https://paypal.com/')
  assert.deepEqual(linkLines(linksIn('https://example.org/ü')), ['https://example.org/ü'])
})

test('a hostile text of a megabyte is looked through in no time', () => {
  for (const text of ['a.'.repeat(500_000), 'a'.repeat(1_000_000), 'http://'.repeat(140_000), `${'-a'.repeat(500_000)}.com`, 'a-'.repeat(500_000), 'x.com '.repeat(160_000), `http://${')'.repeat(900_000)}`, `${'http://a.b/x '.repeat(70_000)}`]) {
    const took = processorTime(() => void linksIn(text))
    assert(took < 3_000, `${text.slice(0, 12)} took ${took} ms`)
  }
})
