import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linksOf } from './links.ts'

test('each address is found once, in full, without the end of its sentence', () => {
  const text = 'See https://example.org/a?b=c#d, (https://example.org/wiki/X_(y)) and again https://example.org/a?b=c#d.'
  assert.deepEqual(linksOf(text).map(({ url }) => url), ['https://example.org/a?b=c#d', 'https://example.org/wiki/X_(y)'])
})

test('a text without an address has none', () => {
  assert.deepEqual(linksOf('Thursday at 15:00 in www or https:'), [])
})

test('what leads elsewhere than it looks is said', () => {
  const warning = (url: string) => linksOf(url)[0]!.warning
  assert.equal(warning('https://bank.example@evil.example/login'), 'leads to evil.example, whatever stands before the @')
  assert.equal(warning('https://аpple.com/'), 'holds letters of another alphabet: xn--pple-43d.com')
  assert.equal(warning('http://example.org/'), 'not encrypted')
  assert.equal(warning('https://192.0.2.7/x'), 'a number instead of a name')
  assert.equal(warning('https://example.org/'), null)
  assert.equal(warning('www.example.org/x'), null)
})
