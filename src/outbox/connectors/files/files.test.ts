import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { actFrame, composedBy, failedDelivery } from '../../../../test/support/attempt-delivery.ts'
import { testOutbox } from '../../../../test/support/outbox.ts'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { Fault } from '../../../kernel/fault.ts'
import type { FilesAct } from '../../acts/files-act.ts'
import { readOutboundAct, wordsOfAct } from '../../acts/outbound-act.ts'
import { sha256 } from '../../document.ts'
import { readDraftDetail } from '../../draft-detail.ts'
import { releaseDrafts } from '../../release-drafts.ts'
import { takeBack } from '../../take-back.ts'
import { alone, connectorContract, documentFor } from '../connector.contract.ts'
import { createFilesConnector } from './files.ts'
import { put } from './put.ts'

const label = { level: 2, integrity: 'trusted', lanes: ['private'] } as const
const { signal } = new AbortController()
const commit = async () => {}

/** A folder with `old/a.txt`, `old/deep/b.txt`, `keep.txt` and `single.md`. */
function opened(t: TestContext) {
  const path = realpathSync(temporaryFolder(t))
  const put = (name: string, text: string) => {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  put('old/a.txt', 'A')
  put('old/deep/b.txt', 'BB')
  put('keep.txt', 'keep')
  put('single.md', 'one')
  const connector = createFilesConnector({ name: 'tidy', folders: [{ name: 'vault', path, label }] })
  const at = (name: string) => join(path, name)
  return { path, put, at, connector, compose: (payload: object, kind = 'files.delete') => composedBy(connector, kind, { folder: 'vault', ...payload }) }
}
const all = (path: string) => readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1)).sort()
const untouched = ['keep.txt', 'old/a.txt', 'old/deep/b.txt', 'single.md']
const trashed = (n: number, name: string) => `.castellan-trash/019514a0-0000-7000-8000-000000000001/${n}/${name}`

connectorContract('files', async (t) => {
  const { path, connector, compose } = opened(t)
  const wire = await compose({ paths: ['single.md'] })
  const place = join(path, trashed(1, 'single.md'))
  return { connector, act: { kind: 'files.delete', wire, arrives: Buffer.from('one') }, arrived: async () => (existsSync(place) ? [readFileSync(place)] : []) }
})

test('a dry run lists every path with sizes, digests and counts, and changes nothing', async (t) => {
  const { path, compose } = opened(t)
  const wire = await compose({ paths: ['single.md', 'old'] })
  const act = readOutboundAct(wire) as FilesAct
  assert.deepEqual(act.items.map(({ from, to }) => [from, to]), [['old', trashed(1, 'old')], ['single.md', trashed(2, 'single.md')]])
  assert.deepEqual(act.entries.map((entry) => [entry.path, entry.type, entry.size, entry.sha256]), [
    ['old', 'folder', 0, null], ['old/a.txt', 'file', 1, sha256('A')], ['old/deep', 'folder', 0, null], ['old/deep/b.txt', 'file', 2, sha256('BB')], ['single.md', 'file', 3, sha256('one')],
  ])
  const words = wordsOfAct(act)
  assert.match(words, /^Delete from the folder vault \(.*\), into its trash:\n3 files, 6 bytes, 2 folders\./)
  for (const line of ['old/deep/', `old/deep/b.txt  2 bytes  sha256 ${sha256('BB')}`, `single.md  3 bytes  sha256 ${sha256('one')}`]) assert(words.split('\n').includes(line), line)
  assert.deepEqual(all(path), untouched)
})

test('what was listed goes into the trash, and undo brings it back; a second undo finds it done', async (t) => {
  const { path, connector, compose } = opened(t)
  const wire = await compose({ paths: ['single.md', 'old'] })
  const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.deepEqual(receipt, { folder: 'vault', items: 2, files: 3, bytes: 6, trash: '.castellan-trash/019514a0-0000-7000-8000-000000000001' })
  assert.deepEqual(all(path), [trashed(1, 'old/a.txt'), trashed(1, 'old/deep/b.txt'), trashed(2, 'single.md'), 'keep.txt'])
  assert.deepEqual(await connector.undo!(wire, documentFor(wire), {}, alone), { folder: 'vault', restored: 2 })
  assert.deepEqual(all(path), untouched)
  assert.deepEqual(await connector.undo!(wire, documentFor(wire), {}, alone), { folder: 'vault', restored: 0 })
})

test('files and folders get another place, never over something, and back', async (t) => {
  const { path, put, at, connector, compose } = opened(t)
  mkdirSync(at('archive'))
  const wire = await compose({ moves: [{ from: 'old', to: 'archive/old' }, { from: 'single.md', to: 'archive/one.md' }] }, 'files.move')
  assert.match(wordsOfAct(readOutboundAct(wire)!), /^Move in the folder vault .*\n.*\n\nold → archive\/old\nsingle\.md → archive\/one\.md\n/)
  put('archive/one.md', 'other')
  const outcome = await failedDelivery(connector, wire)
  assert.deepEqual([outcome.code, outcome.spent], ['connector.not_sent', 0])
  rmSync(at('archive/one.md'))
  await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.deepEqual(all(path), ['archive/old/a.txt', 'archive/old/deep/b.txt', 'archive/one.md', 'keep.txt'])
  await connector.undo!(wire, documentFor(wire), {}, alone)
  assert.deepEqual(all(path), untouched)
})

test('whatever changed since it was frozen keeps all of it where it is', async (t) => {
  const changes: Record<string, (at: (name: string) => string) => void> = {
    'other words of the same length': (at) => {
      writeFileSync(at('old/a.txt'), 'Z')
      utimesSync(at('old/a.txt'), new Date(0), new Date(0))
    },
    'a longer file': (at) => appendFileSync(at('single.md'), '!'),
    'a new file in a folder': (at) => writeFileSync(at('old/new.txt'), 'x'),
    'a file less': (at) => rmSync(at('old/deep/b.txt')),
    'a link in the place of a file': (at) => (rmSync(at('single.md')), symlinkSync(at('keep.txt'), at('single.md'))),
    'a link in the place of a folder': (at) => (renameSync(at('old'), at('elsewhere')), symlinkSync(at('elsewhere'), at('old'))),
    'a folder in the place of a file': (at) => (rmSync(at('single.md')), mkdirSync(at('single.md'))),
  }
  for (const [what, change] of Object.entries(changes)) {
    const { path, at, connector, compose } = opened(t)
    const wire = await compose({ paths: ['old', 'single.md'] })
    change(at)
    const before = all(path)
    const outcome = await failedDelivery(connector, wire)
    assert.deepEqual([outcome.code, outcome.spent], ['connector.not_sent', 0], what)
    assert.deepEqual(all(path), before, what)
  }
})

test('what comes in between the last look and the move is found, and everything is put back', async (t) => {
  const { path, at, connector, compose } = opened(t)
  const wire = await compose({ paths: ['old', 'single.md'] })
  const outcome = await failedDelivery(connector, wire, { commit: async () => writeFileSync(at('old/late.txt'), 'x') })
  assert.deepEqual([outcome.code, outcome.spent], ['connector.not_sent', 1])
  assert.deepEqual(all(path), [...untouched, 'old/late.txt'].sort())
  const gone = await failedDelivery(connector, await compose({ paths: ['old', 'single.md'] }), { commit: async () => rmSync(at('single.md')) })
  assert.equal(gone.code, 'connector.not_sent')
  assert.deepEqual(all(path), ['keep.txt', 'old/a.txt', 'old/deep/b.txt', 'old/late.txt'])
})

test('when it cannot be put back either, nobody says that it was not done, and undo brings back what it can', async (t) => {
  const { path, connector, compose } = opened(t)
  const wire = await compose({ paths: ['old', 'single.md'] })
  let count = 0
  const failing = createFilesConnector({ name: 'tidy', folders: [{ name: 'vault', path, label }], put: async (root, from, to) => {
    if ((count += 1) > 1) throw Object.assign(new Error('the disk is gone'), { code: 'EIO' })
    return put(root, from, to)
  } })
  const outcome = await failedDelivery(failing, wire)
  assert.deepEqual([outcome.code, outcome.spent], ['connector.unknown', 1])
  assert.match(outcome.message, /a part was moved and could not be put back/)
  assert.equal(await connector.reconcile!(wire, documentFor(wire), alone), undefined)
  assert.deepEqual(await connector.undo!(wire, documentFor(wire), {}, alone), { folder: 'vault', restored: 1 })
  assert.deepEqual(all(path), untouched)
})

test('paths that lead out, into links, or to what is no document are refused when it is frozen', async (t) => {
  const { at, put, compose } = opened(t)
  symlinkSync(at('old'), at('link'))
  symlinkSync('/etc/passwd', at('old/deep/passwd'))
  execFileSync('mkfifo', [at('pipe')])
  put('bad/a\u202eb', 'x')
  put('.castellan-trash/x', 'x')
  const refused = [
    { paths: ['../x'] }, { paths: ['/etc/passwd'] }, { paths: ['old/../keep.txt'] }, { paths: ['old//a.txt'] }, { paths: ['.'] }, { paths: [''] }, { paths: ['a\0b'] }, { paths: ['link'] }, { paths: ['link/a.txt'] },
    { paths: ['old'] }, { paths: ['pipe'] }, { paths: ['bad'] }, { paths: ['missing'] }, { paths: ['.castellan-trash'] }, { paths: ['.git/config'] }, { paths: ['keep.txt', 'keep.txt'] }, { paths: ['old/deep', 'old/deep/b.txt'] },
    { folder: 'other', paths: ['keep.txt'] }, { paths: ['keep.txt'], more: 1 },
  ]
  for (const payload of refused) await assert.rejects(compose(payload), Fault, JSON.stringify(payload))
  await assert.rejects(compose({ moves: [{ from: 'keep.txt', to: '../out' }] }, 'files.move'), Fault)
  await assert.rejects(compose({ moves: [{ from: 'keep.txt', to: 'single.md/x' }, { from: 'single.md', to: 'y' }] }, 'files.move'), Fault)
})

test('more than a thousand files, more than 100 MB, and delicate files need the passkey itself, whatever else is reckoned', async (t) => {
  const { path, put, connector } = opened(t)
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  const riskOf = async (paths: string[]) => {
    const { risk, document } = await outbox.freeze({ folder: 'vault', paths }, { kind: 'files.delete', connector: 'tidy', label: { level: 0, integrity: 'trusted', lanes: [] } })
    return { risk, reasons: (JSON.parse(document) as { reasons: string[] }).reasons.join('\n') }
  }
  assert((await riskOf(['single.md'])).risk < 7)
  for (let count = 0; count <= 1_000; count += 1) put(`many/${count}`, '')
  const many = await riskOf(['many'])
  assert.deepEqual([many.risk >= 8, /1001 files, more than 1000/.test(many.reasons)], [true, true])
  put('large', '')
  truncateSync(join(path, 'large'), 100 * 1024 * 1024 + 1)
  assert.match((await riskOf(['large'])).reasons, /at least 8: it is 100 MB, more than 100/)
  for (const [name, why] of [['repo/.github/workflows/ci.yml', /workflows/], ['ops/restore.sh', /operations/], ['home/.ssh/config', /security/], ['Dockerfile', /operations/], ['x/server.key', /security/]] as const) {
    put(name, 'x')
    const { risk, reasons } = await riskOf([name])
    assert.deepEqual([risk >= 8, why.test(reasons)], [true, true], `${name}: ${reasons}`)
  }
})

test('another folder of that name in the configuration, and other bytes, change nothing', async (t) => {
  const { path, connector, compose } = opened(t)
  const other = opened(t)
  const wire = await compose({ paths: ['single.md'] })
  assert.equal((await failedDelivery(other.connector, wire)).code, 'connector.not_sent')
  assert.equal((await failedDelivery(connector, Buffer.from(wire.toString().replaceAll('single.md', 'keep.txt!')))).code, 'connector.not_sent')
  assert.equal((await failedDelivery(connector, wire, { document: documentFor(Buffer.from('x')) })).code, 'connector.not_sent')
  assert.deepEqual([all(path), all(other.path)], [untouched, untouched])
  assert.equal(actFrame(connector).from, connector.account)
})

test('a signed deletion is done once, and the operator undoes it once; the draft keeps what happened', async (t) => {
  const { path, connector } = opened(t)
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  const { id } = await outbox.readyToRelease({ folder: 'vault', paths: ['old'] }, { kind: 'files.delete', connector: 'tidy' })
  assert.deepEqual(await takeBack(outbox.deps, id), { outcome: 'too_late', was: 'held' })
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.deepEqual(all(path).filter((name) => !name.startsWith('.castellan-trash')), ['keep.txt', 'single.md'])
  const done = await takeBack(outbox.deps, id)
  assert(done.outcome === 'taken_back')
  assert.deepEqual([done.receipt['restored'], done.receipt['files'], done.receipt['undone_at']], [1, 2, outbox.clock.now().toISOString()])
  assert.deepEqual(all(path), untouched)
  await assert.rejects(takeBack(outbox.deps, id), { code: 'draft.not_undone' })
  assert.deepEqual([(await outbox.draft(id)).state, (await outbox.audited(id)).at(-1)], ['released', 'draft.undone'])
  const shown = await readDraftDetail(outbox.database.owner.pool, id, outbox.clock.now())
  assert.deepEqual([shown.links, shown.text?.includes('old/deep/b.txt')], [[], true], 'names of files are no links')
})
