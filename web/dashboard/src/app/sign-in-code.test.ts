import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeCode } from './sign-in-code.ts'

function browserAt(hash: string) {
  const replaced: string[] = []
  const code = takeCode({ hash, pathname: '/jobs', search: '?a=1' }, { replaceState: (_data, _unused, url) => replaced.push(url) })
  return { code, replaced }
}

test('the code of a sign-in link is taken, and leaves the address', () => {
  assert.deepEqual(browserAt('#signin=abc-123'), { code: 'abc-123', replaced: ['/jobs?a=1'] })
})

test('any other address stays as it is', () => {
  assert.deepEqual(browserAt(''), { code: undefined, replaced: [] })
  assert.deepEqual(browserAt('#step-mail'), { code: undefined, replaced: [] })
})

test('a link that was cut short signs nobody in', () => {
  assert.deepEqual(browserAt('#signin='), { code: undefined, replaced: ['/jobs?a=1'] })
})
