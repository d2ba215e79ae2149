import assert from 'node:assert/strict'
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { resolveInput } from '../src/house/expression.ts'
import { loadHouse } from '../src/house/index.ts'
import { renderNewsletter } from '../src/outbox/compose/markdown.ts'
import { toolCatalog } from '../src/processes/tool-jobs.ts'
import { allTools } from '../src/tools/all-tools.ts'
import { outboxPropose } from '../src/tools/outbox/propose.ts'

const root = join(import.meta.dirname, '..')
const pages = [...globSync('*.md', { cwd: root }), ...globSync('{docs,bench}/**/*.md', { cwd: root, exclude: ['**/node_modules'] })]
const read = (path: string) => readFileSync(join(root, path), 'utf8')

test('every link of the docs leads to a file that is there', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).replace(/^```[\s\S]*?^```/gm, '').matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map((match) => match[1]!)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  )
  assert.ok(pages.length > 10)
  assert.deepEqual(broken, [])
})

test('every path of the source that the docs name is there', () => {
  const named = pages.flatMap((page) => [...read(page).matchAll(/`((?:src|bench|scripts|bin|test)\/[\w./-]*)`/g)].map((match) => ({ page, path: match[1]! })))
  assert.deepEqual(named.filter(({ path }) => !existsSync(join(root, path)) && !/NAME|count/.test(path)), [])
})

test('the mailboxes and the job of the recipe are ones that a house takes', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'castellan-recipe-')), 'house')
  t.after(() => rmSync(dirname(folder), { recursive: true }))
  const blocks = [...read('docs/recipes/mailboxes.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!)
  const accounts = blocks.filter((block) => block.startsWith('mail:'))
  assert.equal(accounts.length, 4)
  const connector = blocks.find((block) => block.includes('kind: imap, account'))!
  const job = blocks.find((block) => block.includes('uses: mail.move'))!
  cpSync(join(root, 'house'), folder, { recursive: true })
  writeFileSync(join(folder, 'jobs', 'file-newsletters.yaml'), job)
  for (const account of accounts) {
    writeFileSync(join(folder, 'castellan.yaml'), account + connector)
    const { problems } = await loadHouse(folder, { tools: toolCatalog(allTools), env: {} })
    const found = problems.filter(({ file, severity, what }) => severity === 'error' && /castellan|newsletters/.test(file) && !/certificate cert\.pem cannot be read/.test(what))
    assert.deepEqual(found.map(({ what }) => what), [])
  }
})

test('the sources and the jobs of the recipe are ones that a house takes', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'castellan-recipe-')), 'house')
  t.after(() => rmSync(dirname(folder), { recursive: true }))
  const blocks = [...read('docs/recipes/read-from-outside.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!)
  const jobs = blocks.filter((block) => block.startsWith('# jobs/'))
  const sources = blocks.filter((block) => block.startsWith('sources:'))
  assert.deepEqual([sources.length, jobs.length], [4, 2])
  cpSync(join(root, 'house'), folder, { recursive: true })
  for (const job of jobs) writeFileSync(join(folder, /jobs\/[\w-]+\.yaml/.exec(job)![0]), job)
  for (const source of sources) {
    writeFileSync(join(folder, 'castellan.yaml'), `folders: { briefs: { path: briefs, access: write } }\n${source}`)
    const { problems } = await loadHouse(folder, { tools: toolCatalog(allTools), env: {} })
    const found = problems.filter(({ file, severity, line }) => severity === 'error' && (/deals/.test(file) || (file === 'castellan.yaml' && line > 1)))
    assert.deepEqual(found.map(({ what }) => what), [])
  }
})

test('the webhooks and the job of the recipe are ones that a house takes', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'castellan-recipe-')), 'house')
  t.after(() => rmSync(dirname(folder), { recursive: true }))
  const blocks = [...read('docs/recipes/receive-webhooks.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!)
  const webhooks = blocks.filter((block) => block.startsWith('webhooks:'))
  assert.equal(webhooks.length, 5)
  cpSync(join(root, 'house'), folder, { recursive: true })
  for (const webhook of webhooks) {
    writeFileSync(join(folder, 'castellan.yaml'), webhook)
    if (webhook.includes('kind: github')) writeFileSync(join(folder, 'jobs', 'pushed.yaml'), blocks.find((block) => block.includes('uses: webhook.read'))!)
    else rmSync(join(folder, 'jobs', 'pushed.yaml'), { force: true })
    const { problems } = await loadHouse(folder, { tools: toolCatalog(allTools), env: {} })
    const found = problems.filter(({ file, severity, line }) => severity === 'error' && (/pushed/.test(file) || (file === 'castellan.yaml' && line > 0)))
    assert.deepEqual(found.map(({ file, what }) => `${file} ${what}`), [])
  }
})

test('the secrets of the recipe are ones that a house takes', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'castellan-recipe-')), 'house')
  t.after(() => rmSync(dirname(folder), { recursive: true }))
  const blocks = [...read('docs/recipes/secrets.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!)
  assert.equal(blocks.length, 2)
  cpSync(join(root, 'house'), folder, { recursive: true })
  for (const block of blocks) {
    writeFileSync(join(folder, 'castellan.yaml'), block)
    const { problems } = await loadHouse(folder, { tools: toolCatalog(allTools), env: {} })
    assert.deepEqual(problems.filter(({ file, severity, what }) => severity === 'error' && file === 'castellan.yaml' && /secret|webhook/.test(what)), [])
  }
})

test('the ways out of the recipe and its job are ones that a house takes', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'castellan-recipe-')), 'house')
  t.after(() => rmSync(dirname(folder), { recursive: true }))
  cpSync(join(root, 'house'), folder, { recursive: true })
  const [settings, job, letter] = [...read('docs/recipes/ways-out.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!)
  writeFileSync(join(folder, 'castellan.yaml'), settings!)
  writeFileSync(join(folder, 'jobs', 'tell-shop.yaml'), job!)
  writeFileSync(join(folder, 'jobs', 'week-letter.yaml'), letter!)
  const { problems } = await loadHouse(folder, { tools: toolCatalog(allTools), env: {} })
  assert.deepEqual(problems.filter(({ file, severity }) => severity === 'error' && /castellan|tell-shop|week-letter/.test(file)).map(({ what }) => what), [])
  const { steps: written } = parse(letter!) as { steps: { with: unknown }[] }
  const steps = written.map((step) => outboxPropose.input.parse(resolveInput(step.with, {})).proposals[0]!)
  assert.deepEqual(steps.map(({ kind }) => kind), ['newsletter.send', 'calendar.create', 'social.post'])
  assert.match(renderNewsletter((steps[0] as { text: string }).text).html, /href="\{\{ UnsubscribeURL \}\}"/)
})

test('the job of the recipe is one that a house takes', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'castellan-recipe-')), 'house')
  t.after(() => rmSync(dirname(folder), { recursive: true }))
  cpSync(join(root, 'house'), folder, { recursive: true })
  const [, job] = /```yaml\n([\s\S]*?)```/.exec(read('docs/recipes/add-a-job.md'))!
  writeFileSync(join(folder, 'jobs', 'evening-letters.yaml'), job!)
  const { house, problems } = await loadHouse(folder, { tools: toolCatalog(allTools), env: {} })
  assert.deepEqual(problems.filter(({ file }) => file.startsWith('jobs/evening-letters')), [])
  assert.ok(house!.jobs.some(({ name }) => name === 'evening-letters'))
})

test('the way to the operator that the recipe of alerts names is one that a house takes, with the job that it speaks of', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'castellan-recipe-')), 'house')
  t.after(() => rmSync(dirname(folder), { recursive: true }))
  const block = [...read('docs/recipes/security-alerts.md').matchAll(/^ *```yaml\n([\s\S]*?)```/gm)].map((match) => match[1]!).find((text) => text.includes('tell:'))!
  cpSync(join(root, 'house'), folder, { recursive: true })
  const yaml = readFileSync(join(folder, 'castellan.yaml'), 'utf8')
  const { outbox } = parse(block) as { outbox: { tell: string; connectors: { phone: object } } }
  writeFileSync(join(folder, 'castellan.yaml'), yaml.replace(/^ {2}hold: .*\n {2}connectors:$/m, `  tell: ${outbox.tell}\n  connectors:\n    phone: ${JSON.stringify(outbox.connectors.phone)}`))
  const { house, problems } = await loadHouse(folder, { tools: toolCatalog(allTools), env: {} })
  assert.deepEqual(problems.filter(({ severity }) => severity === 'error'), [])
  assert.equal(house!.settings.outbox.tell, 'phone')
  assert.ok(house!.jobs.some(({ name, alerts }) => name === 'alert-watch' && alerts === true))
})
