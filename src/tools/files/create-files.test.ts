import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { openTestRun, takeOver, type TestRun } from '../../../test/support/tool-run.ts'
import type { Label, Level } from '../../labels/index.ts'
import { createFiles } from './create-files.ts'
import { frontMatterLevel } from './file-label.ts'
import type { DeclaredFolder } from './files.ts'

const database = await testDatabase()
const base = realpathSync(mkdtempSync(join(tmpdir(), 'castellan-files-')))
after(() => rmSync(base, { recursive: true, force: true }))

const root = process.getuid?.() === 0
const labelled = (level: Level): Label => ({ level, integrity: 'trusted', lanes: ['house'] })
let here: TestRun
let home = ''
let vault = ''
let briefs = ''
let count = 0

beforeEach(async () => {
  count += 1
  home = join(base, String(count))
  vault = join(home, 'house/vault')
  briefs = join(home, 'house/briefs')
  for (const folder of [vault, briefs, join(home, 'house/jobs'), join(home, 'server'), join(base, `outside${count}`)]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(home, 'server/key'), 'the key of the server')
  writeFileSync(join(base, `outside${count}`, 'secret.md'), 'outside')
  here = await openTestRun(database)
})

function files(more: { folders?: DeclaredFolder[]; as?: 'castellan_worker_open' | 'castellan_worker_private'; labelOf?: (folder: string, path: string) => Label } = {}) {
  const folders: DeclaredFolder[] = more.folders ?? [
    { name: 'vault', path: vault, access: 'read', label: labelled(2) },
    { name: 'briefs', path: briefs, access: 'write', label: labelled(2) },
  ]
  return createFiles({
    database: database.as(more.as ?? 'castellan_worker_private'), folders, places: { house: join(home, 'house'), roots: [home] },
    labelOf: more.labelOf ?? ((name) => folders.find((one) => one.name === name)!.label), signal: new AbortController().signal, ...here,
  })
}

describe('reading', () => {
  test('gives the text of a file and raises the run to the label of its place', async () => {
    writeFileSync(join(vault, 'note.md'), 'Grüße')
    const file = await files().read({ folder: 'vault', path: './note.md' })
    assert.deepEqual([file.path, file.text, file.bytes, file.sha256.length], ['note.md', 'Grüße', 7, 64])
    assert.deepEqual(here.label(), { level: 2, integrity: 'trusted', lanes: ['house', 'private'] })
  })

  test('does not leave the folder, by any path', async () => {
    symlinkSync(join(base, `outside${count}`), join(vault, 'linked'))
    symlinkSync(join(base, `outside${count}`, 'secret.md'), join(vault, 'link.md'))
    symlinkSync('../../server/key', join(vault, 'key-link'))
    const paths = [
      '../../server/key', 'a/../../../server/key', '/etc/passwd', 'x\0.md', 'linked/secret.md', 'link.md', 'key-link', '..', 'C:\\x', 'a\\..\\b', `${'a/'.repeat(40)}b`, 'x'.repeat(300),
      '/proc/self/environ', 'linked', '....//....//server/key',
    ]
    for (const path of paths) await assert.rejects(files().read({ folder: 'vault', path }), (fault: { kind: string }) => ['invalid', 'refused', 'missing'].includes(fault.kind), path)
    assert.equal(here.label().level, 1)
  })

  test('follows a symbolic link to a folder that stays inside, and takes the label of the true place', async () => {
    mkdirSync(join(vault, 'people'))
    writeFileSync(join(vault, 'people/eva.md'), 'Eva')
    symlinkSync('people', join(vault, 'public'))
    const labelOf = (_folder: string, path: string) => labelled(path.startsWith('people/') ? 3 : 0)
    await assert.rejects(files({ labelOf }).read({ folder: 'vault', path: 'public/eva.md' }), { code: 'files.level' })
  })

  test('does not follow a symbolic link to a file, not even inside, because a name is not a label', async () => {
    writeFileSync(join(vault, 'note.md'), 'x')
    symlinkSync('note.md', join(vault, 'alias.md'))
    await assert.rejects(files().read({ folder: 'vault', path: 'alias.md' }), { kind: 'refused', code: 'files.link' })
  })

  test('does not open what holds secrets, keys or configuration', async () => {
    for (const name of ['.env', '.env.local', 'id_ed25519', 'server.pem', 'tls.KEY', 'castellan.yaml', 'labels.yaml', 'secrets.yaml', '.netrc', 'store.kdbx']) {
      writeFileSync(join(vault, name), 'x')
      await assert.rejects(files().read({ folder: 'vault', path: name }), { kind: 'refused', code: 'files.protected' }, name)
    }
    for (const folder of ['.ssh', '.git', '.gnupg', '.aws']) {
      mkdirSync(join(vault, folder))
      writeFileSync(join(vault, folder, 'config'), 'x')
      await assert.rejects(files().read({ folder: 'vault', path: `${folder}/config` }), { code: 'files.protected' }, folder)
    }
    const names = (await files().list({ folder: 'vault', recursive: true, limit: 100 })).entries.map((entry) => entry.path)
    assert.deepEqual(names, [])
  })

  test('does not open Castellan\'s own places, even when a declared folder is around them', async () => {
    const folders: DeclaredFolder[] = [
      { name: 'all', path: base, access: 'write', label: labelled(2) }, { name: 'house', path: join(home, 'house'), access: 'write', label: labelled(2) },
    ]
    writeFileSync(join(home, 'house/jobs/x.txt'), 'x')
    await assert.rejects(files({ folders }).read({ folder: 'all', path: `${count}/server/key` }), { code: 'files.protected' })
    await assert.rejects(files({ folders }).read({ folder: 'house', path: 'jobs/x.txt' }), { code: 'files.protected' })
    await assert.rejects(files({ folders }).write({ folder: 'house', path: 'jobs/new.txt', text: 'x' }), { code: 'files.protected' })
    await assert.rejects(files({ folders }).write({ folder: 'all', path: `${count}/server/x`, text: 'x' }), { code: 'files.protected' })
    assert.deepEqual(readdirSync(join(home, 'server')), ['key'])
    assert.deepEqual((await files({ folders }).list({ folder: 'house', recursive: true, limit: 100 })).entries.map((entry) => entry.path), ['briefs', 'vault'])
  })

  test('takes only ordinary text files of a bounded size', async () => {
    mkdirSync(join(vault, 'folder'))
    writeFileSync(join(vault, 'image.png'), Buffer.from([0x89, 0x50, 0, 1]))
    writeFileSync(join(vault, 'big.txt'), Buffer.alloc(6 * 1024 * 1024, 'x'))
    execFileSync('mkfifo', [join(vault, 'pipe')])
    await assert.rejects(files().read({ folder: 'vault', path: 'folder' }), { code: 'files.kind' })
    await assert.rejects(files().read({ folder: 'vault', path: 'image.png' }), { code: 'files.binary' })
    await assert.rejects(files().read({ folder: 'vault', path: 'big.txt' }), { code: 'files.size' })
    await assert.rejects(files().read({ folder: 'vault', path: 'pipe' }), { code: 'files.kind' })
    await assert.rejects(files().read({ folder: 'vault', path: 'no.md' }), { kind: 'missing', message: 'there is no no.md in vault' })
    await assert.rejects(files().read({ folder: 'nowhere', path: 'x' }), { kind: 'missing', message: /declares: vault, briefs/ })
  })

  test('refuses a file above the level of the job, by place, front matter, detector or the run that wrote it', async () => {
    writeFileSync(join(vault, 'front.md'), '---\ntitle: x\nlabel: P3\n---\ntext')
    writeFileSync(join(vault, 'key.md'), '-----BEGIN PRIVATE KEY-----')
    writeFileSync(join(vault, 'lower.md'), '---\nlabel: P0\n---\ntext')
    await assert.rejects(files().read({ folder: 'vault', path: 'front.md' }), { kind: 'refused', code: 'files.level', message: /P3 local only and the job reads up to P2 internal/ })
    await assert.rejects(files().read({ folder: 'vault', path: 'key.md' }), { code: 'files.level' })
    assert.equal(here.label().level, 1)
    await files().read({ folder: 'vault', path: 'lower.md' })
    assert.equal(here.label().level, 2)
  })
})

test('a file that a run wrote keeps the label of the run, wherever it is copied and whoever reads it', async () => {
  here = await openTestRun(database, { level: 3, readsUpTo: 3 })
  here.raise({ level: 3, integrity: 'untrusted', lanes: ['private'] })
  await files().write({ folder: 'briefs', path: 'brief.md', text: 'what the letters say' })
  writeFileSync(join(vault, 'copy.md'), readFileSync(join(briefs, 'brief.md')))
  here = await openTestRun(database)
  for (const as of ['castellan_worker_private', 'castellan_worker_open'] as const) {
    await assert.rejects(files({ as, labelOf: () => ({ level: 0, integrity: 'trusted', lanes: [] }) }).read({ folder: 'vault', path: 'copy.md' }), { code: 'files.level' }, as)
  }
  here = await openTestRun(database, { readsUpTo: 3 })
  await files({ labelOf: () => ({ level: 0, integrity: 'trusted', lanes: [] }) }).read({ folder: 'vault', path: 'copy.md' })
  assert.deepEqual(here.label(), { level: 3, integrity: 'untrusted', lanes: ['private'] })
})

test('front matter names a level, and what looks like one and is none is taken for the worst', () => {
  const of = (value: string) => frontMatterLevel(`---\ntitle: a\nlabel: ${value}\n---\nx`)
  assert.deepEqual(['P2', '"P1 low"', 'internal', 'p9', 'meeting', 'P3 # private'].map(of), [2, 1, 2, 3, 0, 3])
  for (const text of ['label: P3', '---\nlabel: P3', 'x\n---\nlabel: P3\n---\n', '']) assert.equal(frontMatterLevel(text), 0, text)
  assert.equal(frontMatterLevel('---\r\nlabel: P3\r\n---\r\n'), 3)
})

describe('listing and searching', () => {
  beforeEach(() => {
    mkdirSync(join(vault, 'people'))
    for (const [name, text] of [['a.md', 'One\nthe Museum'], ['b.md', 'museum twice\nMUSEUM'], ['people/eva.md', 'museum']]) writeFileSync(join(vault, name!), text!)
    symlinkSync(join(vault, 'a.md'), join(vault, 'link.md'))
    symlinkSync('/etc', join(vault, 'etc'))
    symlinkSync('.', join(vault, 'loop'))
  })

  test('a list has what lies there, without symbolic links, in the order of names', async () => {
    const paths = async (query: object) => (await files().list({ folder: 'vault', limit: 100, ...query })).entries.map((entry) => entry.path)
    assert.deepEqual(await paths({}), ['a.md', 'b.md', 'people'])
    assert.deepEqual(await paths({ recursive: true }), ['a.md', 'b.md', 'people', 'people/eva.md'])
    assert.deepEqual(await paths({ path: 'people' }), ['people/eva.md'])
    assert.deepEqual(await files().list({ folder: 'vault', limit: 2 }).then(({ entries, truncated }) => [entries.length, truncated]), [2, true])
  })

  test('a search finds lines without regard to case, and raises the run by the files with hits alone', async () => {
    const labelOf = (_folder: string, path: string) => labelled(path === 'b.md' ? 2 : 1)
    assert.deepEqual((await files({ labelOf }).search({ folder: 'vault', query: 'twice', limit: 10 })).hits, [{ path: 'b.md', line: 1, text: 'museum twice' }])
    assert.equal(here.label().level, 2)
    here = await openTestRun(database)
    assert.deepEqual((await files({ labelOf }).search({ folder: 'vault', query: 'the museum', limit: 10 })).hits.map((hit) => hit.path), ['a.md'])
    assert.equal(here.label().level, 1)
  })

  test('what is above the level of the job is neither listed nor found', async () => {
    const labelOf = (_folder: string, path: string) => labelled(path.startsWith('people') ? 3 : 2)
    assert.deepEqual((await files({ labelOf }).list({ folder: 'vault', recursive: true, limit: 10 })).entries.map((entry) => entry.path), ['a.md', 'b.md'])
    assert.deepEqual((await files({ labelOf }).search({ folder: 'vault', query: 'museum', limit: 10 })).hits.map((hit) => hit.path), ['a.md', 'b.md', 'b.md'])
    assert.equal(here.label().level, 2)
  })
})

describe('writing', () => {
  test('makes folders, replaces the whole file, keeps the permissions of the folder, and leaves nothing else behind', async () => {
    chmodSync(briefs, 0o750)
    const first = await files().write({ folder: 'briefs', path: '2026/11/20.md', text: 'one' })
    assert.deepEqual([first.path, first.bytes], ['2026/11/20.md', 3])
    await files().write({ folder: 'briefs', path: '2026/11/20.md', text: 'two' })
    assert.equal(readFileSync(join(briefs, '2026/11/20.md'), 'utf8'), 'two')
    assert.deepEqual(readdirSync(join(briefs, '2026/11')), ['20.md'])
    assert.equal(statSync(join(briefs, '2026/11/20.md')).mode & 0o777, 0o640 & ~process.umask())
  })

  test('is refused in a folder for reading, outside, through links, over links and over what has a second name', async () => {
    symlinkSync(join(base, `outside${count}`), join(briefs, 'linked'))
    symlinkSync(join(base, `outside${count}`, 'secret.md'), join(briefs, 'link.md'))
    linkSync(join(base, `outside${count}`, 'secret.md'), join(briefs, 'hard.md'))
    const refused: [string, string][] = [
      ['vault', 'x.md'], ['briefs', '../x.md'], ['briefs', '/tmp/x.md'], ['briefs', 'x\0.md'], ['briefs', 'linked/new.md'], ['briefs', 'link.md'], ['briefs', 'hard.md'],
      ['briefs', '.hidden'], ['briefs', '.git/hooks/post-commit'], ['briefs', 'a/.env'], ['briefs', 'key.pem'], ['briefs', 'castellan.yaml'], ['briefs', ''], ['briefs', '.'],
    ]
    for (const [folder, path] of refused) {
      await assert.rejects(files().write({ folder, path, text: 'x' }), (fault: { kind: string }) => ['invalid', 'refused'].includes(fault.kind), `${folder}/${path}`)
    }
    assert.equal(readFileSync(join(base, `outside${count}`, 'secret.md'), 'utf8'), 'outside')
    assert.deepEqual(readdirSync(join(base, `outside${count}`)), ['secret.md'])
    assert.ok(!existsSync(join(briefs, '.git')))
  })

  test('is refused once another executor has the run, before a byte is written', async () => {
    await takeOver(database.owner, here.run.id)
    await assert.rejects(files().write({ folder: 'briefs', path: 'late.md', text: 'x' }), { kind: 'conflict', code: 'run.fence_lost' })
    assert.deepEqual(readdirSync(briefs), [])
  })

  test('onto a full disk leaves the old file as it was', { skip: root ? false : 'only root can mount a small disk' }, async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', briefs])
    try {
      await files().write({ folder: 'briefs', path: 'brief.md', text: 'the old one' })
      await assert.rejects(files().write({ folder: 'briefs', path: 'brief.md', text: 'x'.repeat(200_000) }), { kind: 'unavailable', code: 'files.disk_full', message: /the disk is full; brief\.md in briefs was not written/ })
      assert.deepEqual(readdirSync(briefs), ['brief.md'])
      assert.equal(readFileSync(join(briefs, 'brief.md'), 'utf8'), 'the old one')
    } finally {
      execFileSync('umount', [briefs])
    }
  })

  test('more than the folder was declared for is said in the log', async () => {
    here.raise({ level: 3, integrity: 'untrusted', lanes: [] })
    await files().write({ folder: 'briefs', path: 'x.md', text: 'x' })
    assert.match(here.logged[0]!, /P3 local only and the folder briefs is P2 internal/)
  })
})
