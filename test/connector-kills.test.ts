import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Connector as ConnectorSettings } from '../src/house/index.ts'
import { takeBack } from '../src/outbox/take-back.ts'
import { gitBench } from './support/git-origin.ts'
import { startHttpReceiver } from './support/http-receiver.ts'
import { listmonkToken, listmonkUser, startListmonkApi } from './support/listmonk-api.ts'
import { mastodonToken, startMastodonApi } from './support/mastodon-api.ts'
import { testOutbox, type ProposeOptions } from './support/outbox.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { calendarPassword, calendarUser, startRadicale, withoutRadicale } from './support/radicale.ts'
import { openDeclared, releaserLife, type ReleaserTask } from './support/releaser-child.ts'

const later = 3_600_000

/** A releaser that is killed at that point while it carries out the one act, and the one after it. */
async function killedAt(t: TestContext, point: string, declared: NonNullable<ReleaserTask['declared']>, payload: object, options: ProposeOptions, meanwhile = () => {}) {
  const outbox = await testOutbox(t, { connectors: (outgoing) => [openDeclared(declared, dirname(outgoing))] })
  // started by root, commands are run as nobody, who has to get to their programs
  chmodSync(outbox.folder, 0o711)
  await outbox.propose(payload, options)
  await outbox.deps.spent.close()
  const task: ReleaserTask = {
    connection: outbox.database.connection('castellan_releaser'), folder: outbox.folder, outgoing: outbox.outgoing, settings: outbox.settings, declared,
    key: { id: outbox.key.id, pem: outbox.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }, now: outbox.clock.now().toISOString(), faultPoints: point,
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support', 'releaser-child.ts'), JSON.stringify(task)], { stdio: 'ignore' })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', `it was killed at ${point}`)
  meanwhile()
  outbox.clock.advance(later / 4)
  const deps = await outbox.reopenSpent()
  await releaserLife(deps, outbox.clock, outbox.key)
  const { rows } = await outbox.database.owner.pool.query<{ id: string; state: string }>('select id, state from draft order by frozen_at desc limit 1')
  return { outbox, deps, ...rows[0]! }
}

/** Before the nonce is on the disk the next one sends it; from then on nobody knows, unless the other side can be asked. */
const points: Record<string, boolean> = { 'http.connected': false, 'nonce.spend:before': false, 'nonce.spend:after': true, 'http.sent:before': true, 'http.sent:after': true, 'draft.released:before': true }

for (const [point, wasSpent] of Object.entries(points)) {
  test(`a releaser that is killed at ${point} sends a notice once, or asks`, async (t) => {
    const server = await startHttpReceiver(t)
    const connector: ConnectorSettings = { name: 'hook', kind: 'webhook', url: `${server.url}/in`, secret: { secret: 'hook' }, private: true }
    const { state } = await killedAt(t, point, { connector, secrets: { hook: `whsec_${Buffer.alloc(32, 1).toString('base64')}` } }, { body: { a: 1 } }, { kind: 'webhook', connector: 'hook' })
    assert.equal(state, wasSpent ? 'unknown' : 'released')
    assert.equal(server.received.length, point === 'http.sent:after' || point === 'draft.released:before' || !wasSpent ? 1 : 0)
  })
}

test('a releaser that is killed before it moves a file leaves a question, and undo finds what is where', async (t) => {
  const path = realpathSync(temporaryFolder(t))
  mkdirSync(join(path, 'old'))
  writeFileSync(join(path, 'old', 'a.txt'), 'A')
  const connector: ConnectorSettings = { name: 'tidy', kind: 'files', folders: [{ name: 'vault', path, label: { level: 1, integrity: 'trusted', lanes: [] } }] }
  const { state, id, deps } = await killedAt(t, 'files.put', { connector, secrets: {} }, { folder: 'vault', paths: ['old'] }, { kind: 'files.delete', connector: 'tidy' })
  assert.deepEqual([state, existsSync(join(path, 'old', 'a.txt'))], ['unknown', true])
  const done = await takeBack(deps, id)
  assert(done.outcome === 'taken_back')
  assert.deepEqual([done.receipt['restored'], existsSync(join(path, 'old', 'a.txt'))], [0, true])
})

for (const [point, state] of [['shell.run:before', 'unknown'], ['shell.run:after', 'released'], ['draft.released:before', 'released']] as const) {
  test(`a releaser that is killed at ${point} knows by its own receipt whether a command was run`, { skip: existsSync('/usr/bin/bwrap') ? false : 'bubblewrap is missing: apt install bubblewrap' }, async (t) => {
    const path = realpathSync(temporaryFolder(t))
    chmodSync(path, 0o777)
    const connector: ConnectorSettings = { name: 'chores', kind: 'shell', folders: [{ name: 'vault', path, label: { level: 1, integrity: 'trusted', lanes: [] } }], allow: ['/usr/bin/touch'], rules: [], timeoutMs: 10_000 }
    const outcome = await killedAt(t, point, { connector, secrets: {} }, { folder: 'vault', argv: ['/usr/bin/touch', 'made'] }, { kind: 'shell.act', connector: 'chores' })
    assert.deepEqual([outcome.state, existsSync(join(path, 'made'))], [state, state === 'released'])
  })
}

/** A folder with `plan`, and a connector whose program is a script of the house. */
function chores(t: TestContext, text: string) {
  const base = realpathSync(temporaryFolder(t))
  const [path, script] = [join(base, 'site'), join(base, 'tidy.sh')]
  mkdirSync(path)
  for (const folder of [base, path]) chmodSync(folder, 0o777)
  writeFileSync(join(path, 'plan'), 'signed\n', { mode: 0o666 })
  writeFileSync(script, `#!/bin/sh\n${text}\n`)
  chmodSync(script, 0o755)
  const connector: ConnectorSettings = { name: 'chores', kind: 'shell', folders: [{ name: 'vault', path, label: { level: 1, integrity: 'trusted', lanes: [] } }], allow: [script], rules: [], timeoutMs: 10_000 }
  return { path, script, declared: { connector, secrets: {} }, at: (name: string) => join(path, name) }
}
const withoutBubblewrap = existsSync('/usr/bin/bwrap') ? false : 'bubblewrap is missing: apt install bubblewrap'

for (const point of ['shell.checked', 'nonce.spend:before']) {
  test(`a file that another changes while a releaser lies dead at ${point} is not what the next one gives a command`, { skip: withoutBubblewrap }, async (t) => {
    const { script, declared, at } = chores(t, 'cat "$1" >made; rm -f gone')
    const swap = () => void execFileSync('/bin/sh', ['-c', 'echo evil >x; mv x plan'], { cwd: at('.') })
    const swapped = await killedAt(t, point, declared, { folder: 'vault', argv: [script, 'plan'] }, { kind: 'shell.act', connector: 'chores' }, swap)
    assert.deepEqual([swapped.state, existsSync(at('made'))], ['failed', false])
    assert.deepEqual(readdirSync(swapped.outbox.folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('/left/')), [])
    writeFileSync(at('plan'), 'signed\n')
    const left = await killedAt(t, point, declared, { folder: 'vault', argv: [script, 'plan'] }, { kind: 'shell.act', connector: 'chores' })
    assert.deepEqual([left.state, readFileSync(at('made'), 'utf8')], ['released', 'signed\n'])
  })
}

for (const [point, files] of [['shell.run:before', ['note.md', 'plan']], ['shell.carry', ['plan']]] as const) {
  test(`a releaser that is killed at ${point} leaves a question, with the folder as it was and as it was to be, which no start sweeps`, { skip: withoutBubblewrap }, async (t) => {
    const { script, declared, at, path } = chores(t, 'rm note.md; echo new >made')
    writeFileSync(at('note.md'), 'a note\n', { mode: 0o666 })
    const { state, id, outbox, deps } = await killedAt(t, point, declared, { folder: 'vault', argv: [script] }, { kind: 'shell.act', connector: 'chores' })
    assert.deepEqual([state, readdirSync(path)], ['unknown', files])
    const [, place] = /delete (\S+)$/.exec((await outbox.draft(id)).reason!) ?? []
    assert.deepEqual([readFileSync(join(place!, 'before', 'note.md'), 'utf8'), readFileSync(join(place!, 'after', 'made'), 'utf8')], ['a note\n', 'new\n'])
    // the next command of this connector, by a releaser that has just started
    await outbox.propose({ folder: 'vault', argv: [script] }, { kind: 'shell.act', connector: 'chores' })
    await releaserLife(deps, outbox.clock, outbox.key)
    assert.deepEqual([existsSync(join(place!, 'before', 'note.md')), readdirSync(join(place!, '..')).length], [true, 1])
  })
}

for (const [point, state] of [['git.push:before', 'unknown'], ['git.push:after', 'released'], ['draft.released:before', 'released']] as const) {
  test(`a releaser that is killed at ${point} finds out by the branch whether it pushed`, async (t) => {
    const bench = gitBench(t)
    const head = bench.commit({ 'a.txt': 'a\n' })
    const connector: ConnectorSettings = { name: 'site', kind: 'git', repository: bench.work, remote: bench.origin, branches: ['*'], private: false }
    const outcome = await killedAt(t, point, { connector, secrets: {} }, { branch: 'agent/x', commit: head }, { kind: 'git.push', connector: 'site' })
    assert.deepEqual([outcome.state, bench.at('agent/x')], [state, state === 'released' ? head : ''])
  })
}

for (const [point, state, count] of [['nonce.spend:before', 'released', 1], ['social.post:before', 'unknown', 0], ['social.post:after', 'released', 1], ['draft.released:before', 'released', 1]] as const) {
  test(`a releaser that is killed at ${point} posts once, or asks, and finds what it posted`, async (t) => {
    const { server, posts } = await startMastodonApi(t)
    const connector: ConnectorSettings = { name: 'news', kind: 'mastodon', instance: server.url, account: 'house', token: { secret: 'news' }, private: true }
    const outcome = await killedAt(t, point, { connector, secrets: { news: mastodonToken } }, { text: 'Guten Morgen', visibility: 'public' }, { kind: 'social.post', connector: 'news' })
    assert.deepEqual([outcome.state, posts.length], [state, count])
  })
}

for (const [point, state, count] of [['nonce.spend:before', 'released', 1], ['calendar.put:before', 'unknown', 0], ['calendar.put:after', 'released', 1], ['draft.released:before', 'released', 1]] as const) {
  test(`a releaser that is killed at ${point} puts an event into the calendar once, or asks`, { skip: withoutRadicale }, async (t) => {
    const radicale = await startRadicale(t)
    const calendar = await radicale.makeCalendar('work')
    const connector: ConnectorSettings = { name: 'work', kind: 'caldav', calendar, user: calendarUser, password: { secret: 'dav' }, private: true }
    const event = { title: 'Zahnarzt', start: '2026-03-05T10:00', end: '2026-03-05T11:00', zone: 'Europe/Berlin' }
    const outcome = await killedAt(t, point, { connector, secrets: { dav: calendarPassword } }, event, { kind: 'calendar.create', connector: 'work' })
    assert.deepEqual([outcome.state, (await radicale.list(calendar)).length], [state, count])
    const done = await takeBack(outcome.deps, outcome.id)
    assert.deepEqual([done.outcome, await radicale.list(calendar)], ['taken_back', []], 'and either way undo leaves none')
  })
}

for (const [point, state, campaigns] of [['newsletter.draft', 'released', ['running']], ['newsletter.start:before', 'unknown', ['draft']], ['newsletter.start:after', 'released', ['running']], ['draft.released:before', 'released', ['running']]] as const) {
  test(`a releaser that is killed at ${point} starts a newsletter once, or asks, and leaves no second campaign`, async (t) => {
    const listmonk = await startListmonkApi(t)
    const connector: ConnectorSettings = { name: 'letters', kind: 'listmonk', url: listmonk.server.url, user: listmonkUser, token: { secret: 'lists' }, from: 'news@example.org', lists: ['*'], private: true }
    const letter = { subject: 'Neues', lists: ['Readers'], text: '[Abmelden]({{ UnsubscribeURL }})' }
    const outcome = await killedAt(t, point, { connector, secrets: { lists: listmonkToken } }, letter, { kind: 'newsletter.send', connector: 'letters' })
    assert.deepEqual([outcome.state, listmonk.campaigns.map(({ status }) => status)], [state, campaigns])
    await takeBack(outcome.deps, outcome.id)
    assert.deepEqual(listmonk.campaigns.map(({ status }) => status), state === 'unknown' ? [] : ['cancelled'])
  })
}

for (const kind of ['calendar.change', 'calendar.delete'] as const) {
  for (const [point, isDone] of [['calendar.put:before', false], ['calendar.put:after', true]] as const) {
    test(`a releaser that is killed at ${point} of a ${kind} knows by the version whether it was done, and undo brings the old bytes back`, { skip: withoutRadicale }, async (t) => {
      const radicale = await startRadicale(t)
      const calendar = await radicale.makeCalendar('work')
      const at = `${calendar}team.ics`
      await radicale.ask('PUT', at, 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T080000Z\r\nDTSTART:20260305T090000Z\r\nSUMMARY:Team\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n')
      const text = async () => (await radicale.ask('GET', at)).text()
      const before = await text()
      const connector: ConnectorSettings = { name: 'work', kind: 'caldav', calendar, user: calendarUser, password: { secret: 'dav' }, private: true }
      const payload = kind === 'calendar.delete' ? { event: 'team.ics' } : { event: 'team.ics', title: 'Neu', start: '2026-03-05', end: '2026-03-06' }
      const outcome = await killedAt(t, point, { connector, secrets: { dav: calendarPassword } }, payload, { kind, connector: 'work' })
      assert.deepEqual([outcome.state, (await text()) === before], isDone ? ['released', false] : ['unknown', true])
      await takeBack(outcome.deps, outcome.id)
      assert.equal(await text(), before)
    })
  }
}
