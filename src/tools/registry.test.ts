import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { allTools } from './all-tools.ts'
import { defineTool } from './define-tool.ts'
import { createRegistry } from './registry.ts'

const registry = createRegistry(allTools)

test('every tool describes its input and output as JSON Schema', () => {
  for (const tool of registry.list()) {
    const { input, output, summary } = registry.describe(tool.name)
    assert.equal(input['type'], 'object', tool.name)
    assert.equal(output['type'], 'object', tool.name)
    assert.equal(input['additionalProperties'], false, `${tool.name} takes fields that it does not know`)
    assert.ok(summary.length > 10)
    JSON.stringify({ input, output })
  }
})

test('a field with a default need not be given', () => {
  assert.deepEqual(registry.describe('mail.search').input['required'], ['query'])
})

test('no tool can do more than look, write the own files, or propose', () => {
  const effects = Object.fromEntries(registry.list().map((tool) => [tool.name, tool.effect]))
  assert.deepEqual(Object.entries(effects).filter(([, effect]) => effect !== 'read'), [
    ['files.write', 'write'], ['mail.flag', 'propose'], ['mail.move', 'propose'], ['order.propose', 'propose'], ['outbox.propose', 'propose'], ['outbox.tell', 'propose'],
  ])
})

test('a tool that is not there is told with those of its family', () => {
  assert.throws(() => registry.get('mail.send'), { kind: 'missing', message: 'there is no tool mail.send; there are: mail.flag, mail.list, mail.move, mail.read, mail.search' })
  assert.throws(() => registry.get('nothing'), /text\.triage/)
})

test('two tools of one name, or a name without a family, are defects', () => {
  const tool = { name: 'test.one', summary: '', effect: 'read', input: z.unknown(), output: z.unknown(), run: async () => 1 } as const
  assert.throws(() => createRegistry([defineTool(tool), defineTool(tool)]), { code: 'tool.duplicate' })
  for (const name of ['search', 'Mail.search', 'mail.search.all', 'mail. search']) assert.throws(() => defineTool({ ...tool, name }), { code: 'tool.name' })
})
