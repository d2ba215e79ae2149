import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { processorTime } from '../../../test/support/processor-time.ts'
import { passesLuhn, passesMod97 } from './check-digits.ts'
import { detect, findings } from './detect.ts'

// put together here, so that no scanner takes this file for a leak
const secrets: Record<string, string> = {
  'private key': ['-----BEGIN OPENSSH PRIV', 'ATE KEY-----\nb3BlbnNzaC1rZXktdjE'].join(''),
  'AWS key': ['AKIA', 'QW3E7RTY2UIO9PAS'].join(''),
  'GitHub token': ['ghp_', 'a8Kd03jfLq92mXzP0sRtYbVn47WcEhGuI1oT'].join(''),
  'model key': ['sk-ant-', 'api03-Xk29dLq0PzRtYbVn47WcEhGuI1oTa8Kd03jf'].join(''),
  'Slack token': ['xoxb-', '204817366120-Qe7RtYbVn47WcEhGuI1o'].join(''),
  'Telegram token': ['8120934471', ':AAHk29dLq0PzRtYbVn47WcEhGuI1oTa8Kd0'].join(''),
  'signed token': ['eyJhbGciOiJIUzI1NiJ9', '.eyJzdWIiOiIxMjM0NTY3ODkwIn0', '.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P'].join(''),
  'Castellan key': 'cst_' + '0123456789abcdef'.repeat(4),
  'password in a URL': 'postgresql://anna:t0pf-deckel@db.example:5432/shop',
  password: 'api_key = "q8Zr2LmX0vT5nB7k"',
}

for (const [kind, text] of Object.entries(secrets)) {
  test(`a ${kind} raises to P3`, () => {
    assert.equal(detect(`Hello,\nhere it is: ${text} .\nBye`), 3)
    assert.ok(findings(`x ${text}`).some((finding) => finding.kind === kind))
  })
}

test('ordinary sentences, placeholders and manuals raise nothing', () => {
  const clean = [
    'The secret of good bread is time. Password: please ask Levke when you are here.',
    'Write key: { secret: cloud_key } and put it into the file. AKIA is how they begin.',
    'postgresql://user:<password>@host/db and https://example.example/a:b@c are only examples, http://me:****@host too.',
    'api_key=your_api_key_here, token: ${TOKEN}, password = "changeme123"',
    'sk-learn is a library; ghp_ is a prefix; eyJ alone is nothing.',
    'Order 4000 1234 5678 9010, phone +49 431 1234567890, IBAN DE00 1234 5678 9012 3456 78',
    'Commit 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 by Ada',
  ]
  for (const text of clean) assert.deepEqual(findings(text), [], text)
})

test('a bank account and a payment card whose checksum is right raise to P2, a wrong digit does not', () => {
  for (const text of ['DE89 3704 0044 0532 0130 00', 'iban de89370400440532013000.', 'GB33-BUKB-2020-1555-5555-55', 'LT12 1000 0111 0100 1000',
    '4111 1111 1111 1111', '5500-0055-5555-5559', '378282246310005', '3782 822463 10005']) {
    assert.equal(detect(`pay to ${text}, please`), 2, text)
  }
  for (const text of ['DE89 3704 0044 0532 0130 01', 'DE89 3704 0044 0532 0130', '4111 1111 1111 1112', '9111 1111 1111 1111', '0000000000000000']) {
    assert.equal(detect(`pay to ${text}, please`), 0, text)
  }
})

test('an IBAN is found in a sentence that goes on with words', () => {
  const text = 'an DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX'
  const [finding] = findings(text)
  assert.equal(text.slice(finding!.start, finding!.end), 'DE89 3704 0044 0532 0130 00')
})

test('every single changed digit of a card, and of an account, is noticed', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 1, max: 9 }), (at, by) => {
    const changed = (text: string, place: number) => text.slice(0, place) + ((Number(text[place]) + by) % 10) + text.slice(place + 1)
    assert.ok(passesLuhn('4111111111111111') && !passesLuhn(changed('4111111111111111', at)))
    assert.ok(passesMod97('DE89370400440532013000') && !passesMod97(changed('DE89370400440532013000', at + 4)))
  }))
})

test('what is found stays found in a longer text: detectors only raise', () => {
  fc.assert(fc.property(fc.string(), fc.constantFrom(...Object.values(secrets), 'DE89370400440532013000'), fc.string(), (before, text, after) => {
    assert.ok(detect(`${before}\n${text}\n${after}`) >= detect(text))
  }))
  const padding = 'lorem ipsum '.repeat(200_000)
  assert.equal(detect(`${padding} ${secrets['AWS key']} ${padding}`), 3)
})

test('a hostile text of a megabyte costs well under a second', () => {
  const hostile = ['-----BEGIN ', 'eyJ', '4111 ', '://a:', 'DE89 ', 'password ', 'A'.repeat(60), 'xoxb-', '1111-', 'sk-', ' ', 'AKIA', 'eyJaaaaaaaaaa.eyJ']
  for (const part of hostile) {
    const text = part.repeat(Math.ceil(1_000_000 / part.length))
    const took = processorTime(() => void detect(text))
    assert.ok(took < 1_500, `${JSON.stringify(part)} took ${Math.round(took)} ms`)
  }
})
