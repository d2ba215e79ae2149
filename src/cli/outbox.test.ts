import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stubHouse } from '../../test/support/cli.ts'

const at = '2026-03-02T09:00:00.000Z'
const id = '01a220f2-86b4-7e78-bcca-cd504e31c13f'
const now = new Date('2026-03-02T10:00:00.000Z')
const fenced = { state: 'fenced', fence: { id, at, why: 'the database is a copy from before', waiting: ['2 clearances', '1 key of a program'] }, resume: null, held: 6, next: at, unknown: 2, spent: 9 }

test('a fenced outbox says since when, why, what is held, and what lets it go on', async (t) => {
  const { run } = await stubHouse(t, { releaser: { 'GET /outbox': { data: fenced } } })
  const { stdout } = await run(['outbox', 'status'], { now })
  for (const words of [/fenced since \d\d:\d\d: nothing leaves/, /a copy from before/, /castellan outbox resume/, /6 drafts are held, the next was to leave 1 h ago/, /of 2 drafts nobody knows/, /2 clearances, 1 key of a program/]) assert.match(stdout, words)
  const waiting = await stubHouse(t, { releaser: { 'GET /outbox': { data: { ...fenced, resume: id } } } })
  assert.match((await waiting.run(['outbox', 'status'], { now })).stdout, /castellan draft approve 4e31c13f/)
  const open = await stubHouse(t, { releaser: { 'GET /outbox': { data: { ...fenced, state: 'open', fence: null, held: 0, next: null, unknown: 0 } } } })
  assert.doesNotMatch((await open.run(['outbox', 'status'], { now })).stdout, /fenced|resume/)
})

test('to go on takes a draft that is signed; a dry run makes none', async (t) => {
  const { run, asked } = await stubHouse(t, { releaser: { 'POST /outbox/resume': { data: { draft: id, risk: 8 } } } })
  await run(['outbox', 'resume', '--dry-run'])
  assert.deepEqual(asked, [])
  assert.match((await run(['outbox', 'resume'])).stdout, /waits for your signature\. Until then nothing leaves\.[^]*castellan draft show/)
})
