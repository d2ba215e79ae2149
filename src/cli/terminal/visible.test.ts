import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { visible, visibleJson, visibleText } from './visible.ts'

test('a subject cannot move the cursor, colour the screen or turn the text around', () => {
  assert.equal(visibleText('\u001b[2Jpaid\u009b31m'), '\\u{1B}[2Jpaid\\u{9B}31m')
  assert.equal(visibleText('invoice\u202Efdp.exe'), 'invoice\\u{202E}fdp.exe')
  assert.equal(visibleText('pay\u200Bpal.com'), 'pay\\u{200B}pal.com')
  assert.equal(visibleText('tag\u{E0041}'), 'tag\\u{E0041}')
})

test('a carriage return cannot overwrite what stands before it', () => {
  assert.equal(visibleText('to: a@b.de\rto: c@d.de'), 'to: a@b.de\\u{D}to: c@d.de')
  assert.equal(visibleText('one\r\ntwo\tthree\n'), 'one\ntwo\tthree\n')
})

test('ordinary text in any script stays as it is', () => {
  for (const text of ['Grüße, 世界, שלום, مرحبا', '👩🏽‍🌾 family', 'naïve — “quoted”']) assert.equal(visibleText(text), text)
})

test('keys of an object are made visible too', () => {
  assert.deepEqual(visible({ 'a\u001b': ['\u0007', 1, null] }), { 'a\\u{1B}': ['\\u{7}', 1, null] })
})

test('JSON stays the same value and holds nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = visibleJson({ text })
      assert.equal((JSON.parse(json) as { text: string }).text, text)
      assert.doesNotMatch(json, /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u{E0000}-\u{E007F}]/u)
    }),
  )
})
