import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asTyped } from './as-typed.ts'

test('commands are told as they can be typed: through npx where npm started the program', () => {
  for (const env of [{ npm_command: 'start' }, { npm_lifecycle_event: 'npx' }]) {
    assert.equal(asTyped('castellan down && castellan up', env), 'npx castellan down && npx castellan up')
    assert.equal(asTyped('sudo castellan up', env), 'sudo npx castellan up')
    assert.equal(asTyped('df -h, castellan.yaml, Castellan is up', env), 'df -h, castellan.yaml, Castellan is up')
  }
  assert.equal(asTyped('castellan up', { PATH: '/usr/bin' }), 'castellan up')
})
