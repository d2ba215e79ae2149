import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { testDatabase } from '../../../test/support/database.ts'
import { createManualClock } from '../../kernel/clock.ts'
import type { FolderAccount } from '../../house/index.ts'
import { createFolderMailbox } from './folder-mailbox.ts'

const received = new Date('2026-03-02T08:00:00.000Z')

async function mailbox(t: TestContext, changes: Partial<FolderAccount> = {}) {
  const database = await testDatabase(t)
  const path = mkdtempSync(join(tmpdir(), 'castellan-mailbox-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  const account: FolderAccount = { name: 'sample', kind: 'folder', path, label: { level: 2, integrity: 'untrusted', lanes: ['private'] }, ...changes }
  const clock = createManualClock(new Date('2026-03-02T09:00:00.000Z'))
  const deps = { database: database.as('castellan_releaser'), clock, log: pino({ level: 'silent' }) }
  let folderTime = received.getTime()
  return {
    path, clock, account,
    mailbox: createFolderMailbox(deps, account),
    reopen: () => createFolderMailbox(deps, account),
    /** As a program that delivers mail leaves it: whole, and dated. The folder's own time moves on with each. */
    put(name: string, content: string | Buffer, at = received) {
      writeFileSync(join(path, name), content)
      utimesSync(join(path, name), at, at)
      this.settleFolder()
    },
    settleFolder() {
      folderTime += 1000
      utimesSync(path, new Date(folderTime), new Date(folderTime))
    },
    stored: async () => (await database.owner.pool.query(
      `select uid, size, received_at, c.body, m.parsed_at, m.label_level, m.label_integrity, m.label_lanes from mail_message m join content c on c.hash = m.raw_hash order by uid`,
    )).rows,
    audited: async (kind: string) => (await database.owner.pool.query('select subject, detail from audit_event where kind = $1', [kind])).rows,
  }
}

test('each file is stored once as it is, under the label of its account', async (t) => {
  const box = await mailbox(t)
  const raw = Buffer.from('From: x\r\n\r\n\xff\0 not even a mail', 'latin1')
  box.put('a.eml', raw)
  box.put('b.EML', 'second')
  box.put('notes.txt', 'no mail')
  assert.equal(await box.mailbox.scan(), 2)
  assert.equal(await box.mailbox.scan(), 0)
  assert.equal(await box.reopen().scan(), 0)
  const [a, b] = await box.stored()
  assert.deepEqual(a, { uid: 'a.eml', size: raw.length, received_at: received, body: raw, parsed_at: null, label_level: 2, label_integrity: 'untrusted', label_lanes: ['private'] })
  assert.equal(b.uid, 'b.EML')
  assert.equal((await box.audited('mail.stored')).length, 2)
  assert.deepEqual(box.mailbox.problems(), [])
})

test('a folder that did not change is not read again, one that did is', async (t) => {
  const box = await mailbox(t)
  box.put('a.eml', 'one')
  assert.equal(await box.mailbox.scan(), 1)
  writeFileSync(join(box.path, 'b.eml'), 'two')
  utimesSync(join(box.path, 'b.eml'), received, received)
  const unchanged = new Date(received.getTime() + 1000)
  utimesSync(box.path, unchanged, unchanged)
  assert.equal(await box.mailbox.scan(), 0)
  box.settleFolder()
  box.settleFolder()
  assert.equal(await box.mailbox.scan(), 1)
})

test('a file that is still being written is left until it has settled', async (t) => {
  const box = await mailbox(t)
  box.put('a.eml', 'half', box.clock.now())
  assert.equal(await box.mailbox.scan(), 0)
  box.clock.advance(999)
  assert.equal(await box.mailbox.scan(), 0)
  box.clock.advance(1)
  assert.equal(await box.mailbox.scan(), 1)
  box.put('b.eml', 'from the future', new Date('2030-01-01'))
  assert.equal(await box.mailbox.scan(), 1)
})

test('what arrives in the same instant as a scan is found by the next', async (t) => {
  const box = await mailbox(t)
  box.put('a.eml', 'one')
  utimesSync(box.path, box.clock.now(), box.clock.now())
  assert.equal(await box.mailbox.scan(), 1)
  writeFileSync(join(box.path, 'b.eml'), 'two')
  utimesSync(join(box.path, 'b.eml'), received, received)
  utimesSync(box.path, box.clock.now(), box.clock.now()) // the clock of the file system has not moved on
  assert.equal(await box.mailbox.scan(), 1)
})

test('links, pipes, folders and too large files are refused, visibly, and audited once', async (t) => {
  const box = await mailbox(t)
  box.put('good.eml', 'good')
  symlinkSync('/etc/passwd', join(box.path, 'link.eml'))
  mkdirSync(join(box.path, 'folder.eml'))
  execFileSync('mkfifo', [join(box.path, 'pipe.eml')])
  box.put('large.eml', '')
  truncateSync(join(box.path, 'large.eml'), 50 * 1024 * 1024 + 1)
  utimesSync(join(box.path, 'large.eml'), received, received)
  assert.equal(await box.mailbox.scan(), 1)
  assert.deepEqual((await box.stored()).map(({ uid }) => uid), ['good.eml'])
  const problems = Object.fromEntries(box.mailbox.problems().map(({ uid, reason }) => [uid, reason]))
  assert.match(problems['link.eml']!, /link/)
  assert.match(problems['large.eml']!, /52428801 bytes/)
  assert.deepEqual(Object.keys(problems).sort(), ['folder.eml', 'large.eml', 'link.eml', 'pipe.eml'])
  const audited = await box.audited('mail.refused')
  assert.equal(audited.length, 4)
  assert(!JSON.stringify(audited).includes('large.eml'))
  const again = box.reopen()
  await again.scan()
  assert.equal((await box.audited('mail.refused')).length, 4)
  assert.equal(again.problems().length, 4)
  rmSync(join(box.path, 'large.eml'))
  box.settleFolder()
  await again.scan()
  assert.equal(again.problems().length, 3)
})

test('two accounts may hold the same message, and its content keeps the stricter label', async (t) => {
  const box = await mailbox(t)
  box.put('a.eml', 'same')
  await box.mailbox.scan()
  box.put('b.eml', 'same')
  assert.equal(await box.mailbox.scan(), 1)
  assert.equal((await box.stored()).length, 2)
})

test('a folder that is not there is a problem, not an end', async (t) => {
  const box = await mailbox(t, { path: '/nonexistent/mailbox' })
  assert.equal(await box.mailbox.scan(), 0)
  assert.match(box.mailbox.problems()[0]!.reason, /cannot be read/)
})
