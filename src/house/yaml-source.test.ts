import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../test/support/processor-time.ts'
import { readYaml } from './yaml-source.ts'

const broken: Record<string, { text: string; line: number; what: RegExp; instead: RegExp }> = {
  'a tab that indents': { text: 'a:\n\tb: 1\n', line: 2, what: /Tabs/, instead: /two spaces/ },
  'a key twice': { text: 'a: 1\nb: 2\na: 3\n', line: 3, what: /unique/, instead: /keep one/ },
  'a quote that stays open': { text: 'a: "b\nc: d\n', line: 3, what: /closing/i, instead: /close the quote/ },
  'a text with a colon': { text: 'summary: one: two\n', line: 1, what: /mapping/, instead: /quotes/ },
  'two documents': { text: 'a: 1\n---\nb: 2\n', line: 2, what: /more than one document/, instead: /---/ },
  'an alias': { text: 'a: &x [1]\nb: *x\n', line: 2, what: /aliases such as \*x/, instead: /write the value out/ },
  'a tag that runs code elsewhere': { text: 'a: !!js/function "f"\n', line: 1, what: /tag/i, instead: /./ },
  'a list as a key': { text: '? [a, b]\n: 1\n', line: 1, what: /a key has to be a text/, instead: /quotes/ },
}

for (const [name, { text, line, what, instead }] of Object.entries(broken)) {
  test(`${name} is a problem with its line`, () => {
    const { source, problems } = readYaml('x.yaml', text)
    assert.equal(source, undefined)
    const [problem] = problems
    assert.equal(problem!.line, line)
    assert.match(problem!.what, what)
    assert.match(problem!.instead, instead)
  })
}

test('a bomb of anchors costs nothing, because nothing is expanded', () => {
  const levels = Array.from({ length: 30 }, (_, at) => (at === 0 ? 'a0: &a0 [x, x, x]' : `a${at}: &a${at} [*a${at - 1}, *a${at - 1}, *a${at - 1}]`))
  const took = processorTime(() => {
    const { source, problems } = readYaml('bomb.yaml', levels.join('\n'))
    assert.equal(source, undefined)
    assert.ok(problems.length > 29)
  })
  assert.ok(took < 1_000, `${took} ms`)
})

test('brackets a hundred thousand deep are refused and do not end the process', () => {
  const { source, problems } = readYaml('deep.yaml', '['.repeat(100_000))
  assert.equal(source, undefined)
  assert.ok(problems.length > 0)
})

test('a value, a key and what is missing are found where they are written', () => {
  const { source } = readYaml('x.yaml', 'a:\n  - b: 1\n    cc: two\n')
  assert.deepEqual(source!.place(['a', 0, 'cc']), { line: 3, column: 5 })
  assert.equal(source!.place(['a', 0, 'dd']), undefined)
  const at = (problem: { line: number; column: number }) => [problem.line, problem.column]
  assert.deepEqual(at(source!.problem(['a', 0, 'cc'], '', '')), [3, 9])
  assert.deepEqual(at(source!.problem(['a', 0, 'cc'], '', '', { at: 'key' })), [3, 5])
  assert.deepEqual(at(source!.problem(['a', 0, 'dd'], '', '')), [2, 5])
})

test('an empty file and words that other readers take for values are read as they stand', () => {
  assert.equal(readYaml('x.yaml', '').source!.value, undefined)
  assert.deepEqual(readYaml('x.yaml', 'on: yes\nat: 2026-01-01\nnorway: no\n').source!.value, { on: 'yes', at: '2026-01-01', norway: 'no' })
})
