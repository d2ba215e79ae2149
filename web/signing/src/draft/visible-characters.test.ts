import assert from 'node:assert/strict'
import { test } from 'node:test'
import { piecesOf } from './visible-characters.ts'

const shown = (text: string) => piecesOf(text).map((piece) => ('code' in piece ? `[${piece.code}]` : piece.text)).join('')

test('plain text with umlauts, tabs and line ends is one piece', () => {
  assert.deepEqual(piecesOf('Grüße\taus Köln\n'), [{ text: 'Grüße\taus Köln\n' }])
  assert.deepEqual(piecesOf(''), [])
})

test('an override of direction is spelled out where it stands', () => {
  assert.equal(shown('invoice\u202Efdp.exe'), 'invoice[U+202E]fdp.exe')
  assert.deepEqual(piecesOf('\u202E'), [{ code: 'U+202E', name: 'turns the direction of the text' }])
})

test('zero-width, no-break, filler, control and tag characters are seen', () => {
  assert.equal(shown('a\u200Bb\u00A0c\u3164d\u0007e\u{E0041}f\u00ADg\uFEFF'), 'a[U+200B]b[U+00A0]c[U+3164]d[U+0007]e[U+E0041]f[U+00AD]g[U+FEFF]')
})

test('a joiner inside an emoji is none, between letters it is one', () => {
  assert.equal(shown('👩‍💻 ok'), '👩‍💻 ok')
  assert.equal(shown('pay\u200Dpal'), 'pay[U+200D]pal')
  assert.equal(shown('❤️ a\uFE0F'), '❤️ a[U+FE0F]')
})
