import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sampleDraft, stubHouse, type SampleMail } from '../../../test/support/cli.ts'
import { readMoment } from './snooze-draft.ts'

async function house(t: TestContext, mail: SampleMail = {}, change: object = {}) {
  const draft = { ...(await sampleDraft(mail)), ...change }
  const successor = await sampleDraft({ text: 'new' })
  const stub = await stubHouse(t, { releaser: {
    'GET /drafts': { data: [draft] }, [`GET /drafts/${draft.id}`]: { data: draft }, [`POST /drafts/${draft.id}/edit`]: { data: successor },
    [`POST /drafts/${draft.id}/snooze`]: ({ body }) => ({ data: { outcome: 'snoozed', until: (body as { until: string }).until } }),
  } })
  const posted = () => stub.asked.filter(({ route }) => route.startsWith('POST')).map(({ body }) => body as Record<string, unknown>)
  return { ...stub, draft, successor, posted }
}

test('by options only what is named changes, under the challenge of what was read here', async (t) => {
  const { run, draft, successor, posted, home } = await house(t, { bcc: ['max@example.org'] })
  writeFileSync(join(home, 'text'), 'lieber um 15:00\n')
  const { json, exit } = await run(['draft', 'edit', draft.id.slice(-8), '--text', join(home, 'text'), '--to', 'a@example.org, b@example.org', '--to', 'Ott, Max <m@example.org>', '--bcc', '', '--json'])
  assert.equal(exit, 0)
  const challenge = createHash('sha256').update(`castellan/1${draft.document}`).digest('hex')
  assert.deepEqual(posted(), [{ challenge, recipients: { to: ['a@example.org', 'b@example.org', 'Ott, Max <m@example.org>'], cc: [], bcc: [] }, subject: 'Termin', text: 'lieber um 15:00\n' }])
  assert.deepEqual([json().data.state, json().data.successor], ['replaced', successor.id])
})

test('in $EDITOR the operator sees the words of the bytes, and what he saves is what is asked for', async (t) => {
  const { run, draft, posted, home } = await house(t, { to: ['Eva <eva@example.org>'], text: 'um 14:00\n' })
  const seen = join(home, 'seen')
  writeFileSync(join(home, 'editor'), `#!/bin/sh\ncp "$2" ${seen}\necho "$2" > ${seen}.path\nsed -i s/14:00/15:00/ "$2"\n`, { mode: 0o700 })
  const { exit, stdout } = await run(['draft', 'edit', draft.id], { env: { EDITOR: `${join(home, 'editor')} --wait` } })
  assert.equal(exit, 0, stdout)
  assert.match(readFileSync(seen, 'utf8'), /^# Draft .{8}\. [^]*\nTo: Eva <eva@example\.org>\nCc:\nBcc:\nSubject: Termin\n\num 14:00\n$/)
  assert.equal(posted()[0]!['text'], 'um 15:00\n')
  assert(!existsSync(readFileSync(`${seen}.path`, 'utf8').trim()), 'the form stayed behind')
})

test('an editor that fails, or that changes nothing, changes nothing; without one it takes options', async (t) => {
  const { run, draft, posted } = await house(t)
  assert.match((await run(['draft', 'edit', draft.id], { env: { EDITOR: 'true' } })).stdout, /Nothing was changed/)
  assert.equal((await run(['draft', 'edit', draft.id, '--json'], { env: { EDITOR: 'false' } })).json().error.code, 'draft.editor')
  assert.deepEqual([(await run(['draft', 'edit', draft.id])).exit, (await run(['draft', 'edit', draft.id, '--no-input'], { env: { EDITOR: 'true' } })).exit], [2, 2])
  assert.equal((await run(['draft', 'edit', draft.id, '--text', '/nowhere'])).exit, 2)
  assert.equal((await run(['draft', 'edit', draft.id, '--subject', 'x', '--dry-run', '--json'])).json().data.state, 'dry_run')
  assert.deepEqual(posted(), [])
})

test('what is no longer waiting, or is not what it says, is not edited', async (t) => {
  const late = await house(t, {}, { state: 'held' })
  assert.equal((await late.run(['draft', 'edit', late.draft.id, '--subject', 'x'])).exit, 6)
  const other = await house(t, {}, { wire: 'QUJD' })
  assert.equal((await other.run(['draft', 'edit', other.draft.id, '--subject', 'x'])).exit, 4)
  assert.deepEqual([late.posted(), other.posted()], [[], []])
})

test('a moment is the next time that the clock of the house shows it, a while from now, a date, or none', async () => {
  const here = { now: new Date('2026-11-25T15:30:00Z'), timezone: 'Europe/Berlin' } // 16:30 there
  const told = async (text: string) => (await readMoment(text, here))?.toISOString()
  assert.equal(await told('17:00'), '2026-11-25T16:00:00.000Z')
  assert.equal(await told('16:00'), '2026-11-26T15:00:00.000Z')
  assert.equal(await told('2h'), '2026-11-25T17:30:00.000Z')
  assert.equal(await told('2026-11-27T16:00:00+01:00'), '2026-11-27T15:00:00.000Z')
  assert.equal(await told('2026-07-27T16:00'), '2026-07-27T14:00:00.000Z', 'by the clock of the house, not of this machine')
  assert.equal(await readMoment('none', here), null)
  for (const text of ['', '25:00', 'tomorrow', '2', '2026-11-27', '2026-11-27T16:00:00.000', '2026-11-27T']) await assert.rejects(readMoment(text, here), { code: 'draft.until' }, text)
})

test('a list names what sleeps in one line, and shows it when asked', async (t) => {
  const now = new Date('2026-11-25T12:00:00Z')
  const { run, draft, posted } = await house(t, {}, { snoozed_until: '2026-11-25T15:00:00Z', expires_at: '2026-11-26T00:00:00Z' })
  const short = await run(['draft', 'list'], { now })
  assert.match(short.stdout, /Nothing waits for your signature\.\n1 snoozed until 16:00 \(castellan draft list --snoozed\)/)
  assert.deepEqual((await run(['draft', 'list', '--json'], { now })).json().data, [])
  assert.match((await run(['draft', 'list', '--snoozed'], { now })).stdout, new RegExp(`${draft.id.slice(-8)}.*snoozed until 16:00`))
  const done = await run(['draft', 'snooze', draft.id, '--until', '17:30'], { now })
  assert.match(done.stdout, /snoozed until 17:30; it expires as before/)
  await run(['draft', 'snooze', draft.id, '--until', 'none'], { now })
  assert.deepEqual(posted(), [{ until: '2026-11-25T16:30:00.000Z' }, { until: null }])
})
