import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { testDatabase } from '../../test/support/database.ts'
import { openTestRun } from '../../test/support/tool-run.ts'
import type { House } from '../house/index.ts'
import { createLogger } from '../kernel/log.ts'
import { allTools } from './all-tools.ts'
import { callTool } from './call-tool.ts'
import { createRegistry } from './registry.ts'
import { createToolbox } from './toolbox.ts'

const database = await testDatabase()
const base = realpathSync(mkdtempSync(join(tmpdir(), 'castellan-toolbox-')))
const vault = join(base, 'house/vault')
mkdirSync(vault, { recursive: true })
writeFileSync(join(vault, 'note.md'), 'note')
after(() => rmSync(base, { recursive: true, force: true }))

const label = { level: 2, integrity: 'trusted', lanes: ['house'] } as const
let labelRules: House['labelRules'] = []
const settings = {
  folders: [{ name: 'vault', path: vault, access: 'read', label }], shell: { allow: [] }, outbox: { connectors: [] }, mail: { accounts: [] }, models: { upstreams: [], routes: {} }, sources: [],
} as unknown as House['settings']
const toolbox = await createToolbox({
  database: database.as('castellan_worker_private'), clock: { now: () => new Date() }, log: createLogger({ name: 'test', destination: { write: () => undefined } }),
  house: () => ({ folder: join(base, 'house'), settings, labelRules }), home: base, folder: base, reader: join(base, 'no-reader.sock'), gates: { local: join(base, 'no.sock') },
})
after(() => toolbox.close())
const registry = createRegistry(allTools)

async function call(tool: string, input: object, fallback?: 'extractive') {
  const here = await openTestRun(database)
  const { id, fence, job, lane, readsUpTo } = here.run
  const context = toolbox.contextFor({
    claim: { run: id, fence, job, lane, input: {}, definition: { readsUpTo } }, step: { id: 'only', ...(fallback && { fallback }) }, attempt: 1, label: here.label(),
    signal: new AbortController().signal, log: () => undefined,
  })
  return await callTool(registry.get(tool), context, input)
}

test('every step gathers a label of its own', async () => {
  const [read, plain] = await Promise.all([call('files.read', { folder: 'vault', path: 'note.md' }), call('text.template', { template: 'Hello {{ name }}', data: { name: 'Eva' } })])
  assert.deepEqual(read.label, { level: 2, integrity: 'trusted', lanes: ['house', 'private'] })
  assert.deepEqual([plain.label.level, plain.output], [1, { text: 'Hello Eva' }])
})

test('a rule that the operator adds holds from the next step on', async () => {
  labelRules = [{ folder: 'vault', label: { level: 3, integrity: 'trusted', lanes: [] } }]
  await assert.rejects(call('files.read', { folder: 'vault', path: 'note.md' }), { code: 'files.level' })
  labelRules = []
  await call('files.read', { folder: 'vault', path: 'note.md' })
})

test('what was made without a model is marked', async () => {
  const result = await call('model.ask', { task: 'summarize', prompt: 'x', documents: [{ title: 'a', text: 'The shop is down today.' }] }, 'extractive')
  assert.deepEqual([result.madeWithoutModel, (result.output as { model: null }).model], [true, null])
  await assert.rejects(call('model.ask', { task: 'summarize', prompt: 'x' }), { kind: 'unavailable' })
})

test('a template reaches no file, no other template and no prototype, and is bounded', async () => {
  for (const template of ['{% include "/etc/passwd" %}', '{% render "x" %}', '{{ missing }}', '{{ name | nofilter }}', '{% for i in (1..1000000000) %}x{% endfor %}']) {
    await assert.rejects(call('text.template', { template, data: { name: 'x' } }), (fault: { kind: string }) => fault.kind !== 'internal', template)
  }
  assert.deepEqual((await call('text.template', { template: '[{{ name.constructor }}]', data: { name: 'x' } }).catch((fault: { kind: string }) => ({ output: fault.kind }))).output, 'invalid')
})
