import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isTrue, references, renderTemplate, resolveInput, templateProblem } from './expression.ts'

const scope = {
  steps: {
    mail: { state: 'succeeded', output: { count: 2, empty: [], messages: [{ id: 'a', from: 'Ines' }, { id: 'b', from: 'Levke' }], none: null } },
    later: { state: 'skipped', output: undefined },
  },
  input: { text: 'one', '{{ slot }}': 1 },
  slot: '2026-11-20T06:10:00.000Z',
  prompts: { 'reply-urgent': 'Dear {{ name }}' },
}

test('a value that is exactly one expression keeps its type, anything else becomes text', () => {
  assert.deepEqual(resolveInput({
    list: '{{ steps.mail.output.messages }}', count: ' {{steps.mail.output.count}}\n', filtered: '{{ steps.mail.output.messages | map: "id" }}',
    text: '{{ steps.mail.output.count }} letters', plain: 'no expression', nested: [{ deep: '{{ input.text }}' }], kept: [1, true, null],
  }, scope), {
    list: scope.steps.mail.output.messages, count: 2, filtered: ['a', 'b'],
    text: '2 letters', plain: 'no expression', nested: [{ deep: 'one' }], kept: [1, true, null],
  })
})

test('a whole input can be one expression', () => {
  assert.deepEqual(resolveInput('{{ input }}', scope), scope.input)
})

test('an object inside a text is written as JSON', () => {
  assert.equal(resolveInput('x {{ steps.mail.output.messages }}', scope), `x ${JSON.stringify(scope.steps.mail.output.messages)}`)
})

test('what an expression gives is never evaluated again, whatever a stranger wrote', () => {
  const hostile = { ...scope, input: { text: '{{ steps.mail.output.count }}{% for i in (1..9) %}x{% endfor %}' } }
  assert.equal(resolveInput('{{ input.text }}', hostile), hostile.input.text)
  assert.equal(renderTemplate('Dear {{ name }}', { name: '{{ slot }}' }), 'Dear {{ slot }}')
  fc.assert(fc.property(fc.string(), (text) => assert.equal(resolveInput('{{ input.text }}', { ...scope, input: { text } }), text)))
})

test('a variable that does not exist is an error, in a default and for a skipped step it is not', () => {
  assert.throws(() => resolveInput('{{ input.missing }}', scope), { kind: 'invalid', message: /undefined variable: input\.missing/ })
  assert.equal(resolveInput('{{ input.missing | default: 7 }}', scope), 7)
  assert.equal(resolveInput('{{ input.missing | default: nil }}', scope), null)
  assert.equal(resolveInput('{{ steps.later.output.text | default: "nothing" }}', scope), 'nothing')
  assert.equal(resolveInput('{{ steps.later.output }}', scope), null)
})

test('only own properties can be read', () => {
  for (const path of ['input.constructor', 'input.__proto__', 'steps.mail.output.messages.constructor', 'slot.length.constructor', 'input.toString']) {
    assert.throws(() => resolveInput(`{{ ${path} }}`, scope), { kind: 'invalid' }, path)
  }
})

test('there are no files, no includes and no environment', () => {
  for (const template of ['{% include "/etc/passwd" %}', '{% render "x" %}', '{% layout "x" %}', '{% block x %}{% endblock %}']) {
    assert.match(templateProblem(template)!.what, /tag "\w+" not found/)
  }
  assert.throws(() => resolveInput('{{ process.env.HOME }}', scope), { kind: 'invalid' })
})

test('a template that would run or grow without end is stopped', () => {
  const forever = '{% for i in (1..30000) %}{% for j in (1..30000) %}{{ i }}{% endfor %}{% endfor %}'
  assert.throws(() => renderTemplate(forever, {}), { kind: 'invalid', message: /limit/ })
  assert.throws(() => renderTemplate('{% for i in (1..999999999) %}{% endfor %}', {}), { kind: 'invalid', message: /memory alloc limit/ })
  const doubling = '{% assign s = "xxxxxxxxxx" %}' + '{% assign s = s | append: s %}'.repeat(40)
  assert.throws(() => renderTemplate(doubling, {}), { kind: 'invalid', message: /limit/ })
  assert.throws(() => renderTemplate('x'.repeat(600_000) + '{{ a }}', { a: 1 }), { kind: 'invalid', message: /limit/ })
})

test('a condition does not hold for false, nothing, zero, empty, or what was skipped', () => {
  for (const yes of ['{{ true }}', '{{ steps.mail.output.count }}', '{{ steps.mail.output.count > 1 }}', '{{ input.text }}', '{{ steps.mail.output.messages }}',
    '{{ steps.later.state == "skipped" }}', '{{ steps.mail.output }}', 'always']) assert.equal(isTrue(yes, scope), true, yes)
  for (const no of ['{{ false }}', '{{ steps.mail.output.none }}', '{{ 0 }}', '{{ "" }}', '{{ steps.mail.output.empty }}', '{{ steps.mail.output.count > 2 }}',
    '{{ steps.later.output.count > 0 }}', '{{ steps.later.output == nil }}', '{% if input.text == "two" %}yes{% endif %}', '{{ "false" }}']) assert.equal(isTrue(no, scope), false, no)
})

test('what an expression reads is known without running it', () => {
  const found = references('{{ steps.mail.output.count | plus: input.more }} {% for m in steps["read"].output %}{{ m.id }}{{ forloop.index }}{% endfor %}{{ prompts.reply-urgent }}{{ steps[input.name].output }}')
  assert.deepEqual(found.sort(), [
    ['input', 'more'], ['input', 'name'], ['prompts', 'reply-urgent'], ['steps', '*', 'output'], ['steps', 'mail', 'output', 'count'], ['steps', 'read', 'output'],
  ].sort())
  assert.deepEqual(references('{% assign x = slot %}{{ x }}'), [['slot']])
  assert.deepEqual(references('nothing'), [])
})

test('a broken template is placed by line and column', () => {
  assert.deepEqual(templateProblem('fine\n  {{ slot | nope }}'), { what: 'undefined filter: nope', line: 2, column: 3 })
  assert.match(templateProblem('{% if %}')!.what, /./)
  assert.equal(templateProblem('{{ anything.at.all }}'), undefined)
})

test('the same scope gives the same text again, wherever the machine stands', () => {
  assert.equal(resolveInput('{{ slot | date: "%Y-%m-%d %H:%M" }}', scope), '2026-11-20 06:10')
  assert.equal(resolveInput('{{ slot | date: "%H:%M", "Europe/Berlin" }}', scope), '07:10')
  assert.match(templateProblem('{{ steps.mail.output.messages | sample }}')!.what, /undefined filter/)
})

test('lists are handed from one tool to the next', () => {
  const lists = { steps: {}, input: { items: [{ id: 'b', category: 'invoice' }, { id: 'a', category: 'suspicious' }, { id: 'x', category: 'other' }], messages: [{ id: 'a', text: 'one' }, { id: 'b', subject: 'B', text: 'two' }] } }
  assert.deepEqual(resolveInput('{{ input.items | reject: "category", "suspicious" | lookup: input.messages, "id" | documents: "subject", "text" }}', lists), [{ title: 'B', text: 'two' }])
  assert.deepEqual(resolveInput('{{ input.messages | documents: "constructor", "text" }}', lists), [{ title: '', text: 'one' }, { title: '', text: 'two' }])
  assert.deepEqual(resolveInput('{{ input.items.first | lookup: input.messages, "id" }}', lists), [])
})

test('a stranger’s words are shown plainly', () => {
  const text = 'a\nb <img src=x> ![x](http://track.example) `code` \u202eexe.fdp\u200b\u0000 & "q"'
  assert.equal(resolveInput('{{ input.text | plain }}', { input: { text } }), `a b ‹img src=x› ![x] (http://track.example) 'code' exe.fdp & "q"`)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (given) => assert.doesNotMatch(resolveInput('-{{ input.text | plain }}-', { input: { text: given } }) as string, /[\n\r<>`]|\]\(|\p{Cf}|\p{Cc}/u)))
})
