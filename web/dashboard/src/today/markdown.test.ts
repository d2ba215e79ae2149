import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseInline } from './inline.ts'
import { parseMarkdown, type Block } from './markdown.ts'

const kinds = (text: string) => parseMarkdown(text).map(({ kind }) => kind)

test('headings, paragraphs, quotes, rules and code are told apart', () => {
  assert.deepEqual(kinds('# A brief\n\ntwo\nlines\n\n> quoted\n> on\n\n---\n```js\n# no heading\n```\nend'), ['heading', 'paragraph', 'quote', 'rule', 'code', 'paragraph'])
  assert.deepEqual(parseMarkdown('```\n<b>\n- x\n```'), [{ kind: 'code', text: '<b>\n- x' }])
  assert.deepEqual(parseMarkdown('``` never closed\na'), [{ kind: 'code', text: 'a' }])
})

test('items nest by their indentation, go on in the next line and survive an empty one', () => {
  const [list] = parseMarkdown('- one\n  goes on\n\n- two\n  - inner\n- three') as [Extract<Block, { kind: 'list' }>]
  assert.deepEqual(list.items, [
    { text: ['one\ngoes on'], children: [] },
    { text: ['two'], children: [{ text: ['inner'], children: [] }] },
    { text: ['three'], children: [] },
  ])
  assert.deepEqual(kinds('1. first\n2. second\n\nand text'), ['list', 'paragraph'])
})

test('strong, emphasis and code are read; what was escaped is not', () => {
  assert.deepEqual(parseInline('**Shop \\*down\\***, *urgent; now* `a*b*`'), [
    { kind: 'strong', text: 'Shop *down*' }, ', ', { kind: 'emphasis', text: 'urgent; now' }, ' ', { kind: 'code', text: 'a*b*' },
  ])
  assert.deepEqual(parseInline('\\*not\\* snake_case_name 2 * 3 * 4'), ['*not* snake_case_name 2 * 3 * 4'])
})

test('what a stranger writes as HTML, link or picture stays text', () => {
  const hostile = '<img src=x onerror=alert(1)> [pay](https://evil.example) ![](https://evil.example/p.gif)'
  assert.deepEqual(parseMarkdown(hostile), [{ kind: 'paragraph', text: [hostile] }])
})

test('no text makes it fail, hang or lose a word', () => {
  const scraps = fc.array(fc.constantFrom('*', '**', '_', '`', '\\', '#', '- ', '  ', '\n', '> ', '1. ', '```', 'word', ' ', '<', '['), { maxLength: 60 })
  fc.assert(fc.property(scraps, (parts) => {
    const read = JSON.stringify(parseMarkdown(parts.join('')))
    const words = (text: string) => text.split('word').length
    // the line that opens a fence names a language, which is not shown
    if (!parts.includes('```')) assert.equal(words(read), words(parts.join('')))
  }))
})

test('a megabyte of marks takes time as it is long, not as its square', () => {
  const started = performance.now()
  for (const mark of ['*_`', '- ', '**a ', '> ', '- a\n\n']) parseMarkdown(mark.repeat(1_000_000 / mark.length))
  assert.ok(performance.now() - started < 20_000, `${performance.now() - started} ms`)
})
