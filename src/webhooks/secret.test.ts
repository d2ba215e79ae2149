import assert from 'node:assert/strict'
import { test } from 'node:test'
import { webhook } from '../../test/support/webhooks.ts'
import type { WebhookSettings } from '../house/index.ts'
import { secretBytes, secretProblems } from './secret.ts'

test('the secret of Standard Webhooks is base64 behind whsec_; others are the bytes that stand there', () => {
  const key = Buffer.from('a key of twenty-four bytes')
  assert.deepEqual(secretBytes('standard', `whsec_${key.toString('base64')}`), { bytes: key })
  assert.deepEqual(secretBytes('standard', key.toString('base64')), { bytes: key })
  assert.deepEqual(secretBytes('stripe', 'whsec_0123456789'), { bytes: Buffer.from('whsec_0123456789') })
})

test('a secret that can be tried out, or that cannot be what it is for, will not do', () => {
  for (const [kind, written] of [['standard', 'not base64!'], ['standard', 'c2hvcnQ='], ['standard', ''], ['github', 'short'], ['stripe', ''], ['gumroad', 'with/a/slash-and-more'], ['gumroad', 'short']] as const) {
    assert.ok('problem' in secretBytes(kind, written), `${kind} ${written}`)
  }
})

test('problems name a secret and never say a word of it', () => {
  const shop: WebhookSettings = { ...webhook('shop', 'github', { secrets: [{ secret: 'path' }, { secret: 'gone' }] }), kind: 'gumroad', token: { secret: 'token' }, api: 'https://x' }
  const problems = secretProblems(shop, { path: 'hush/hush' })
  assert.deepEqual(problems.map((problem) => /the secret (\w+) (is missing|will not do)/.exec(problem)!.slice(1).join(' ')), ['gone is missing', 'token is missing', 'path will not do'])
  assert.ok(!problems.join().includes('hush'))
})
