import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linksIn } from './links.ts'

test('every address is shown in full and once, without the punctuation after it', () => {
  assert.deepEqual(
    linksIn('See https://example.org/a?b=c. And (https://example.org/a?b=c), http://plain.example/x!').map((link) => link.url),
    ['https://example.org/a?b=c', 'http://plain.example/x'],
  )
})

test('an address that leads elsewhere than it looks is said to', () => {
  const warnings = (text: string) => linksIn(text).map((link) => link.warning)
  assert.match(warnings('https://bank.example@evil.example/')[0]!, /leads to evil\.example/)
  assert.match(warnings('https://pаypal.com/')[0]!, /xn--/)
  assert.match(warnings('http://192.168.0.1/')[0]!, /number/)
  assert.deepEqual(warnings('https://example.org/'), [null])
})
