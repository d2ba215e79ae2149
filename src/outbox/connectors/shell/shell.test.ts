import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, renameSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { composedBy, failedDelivery } from '../../../../test/support/attempt-delivery.ts'
import { testOutbox } from '../../../../test/support/outbox.ts'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { Fault } from '../../../kernel/fault.ts'
import { createSandbox, type ShellRule } from '../../../sandbox/index.ts'
import { readOutboundAct, wordsOfAct } from '../../acts/outbound-act.ts'
import type { ShellAct } from '../../acts/shell-act.ts'
import { releaseDrafts } from '../../release-drafts.ts'
import { connectorContract, documentFor } from '../connector.contract.ts'
import { createShellConnector, type ShellOptions } from './shell.ts'

const skip = existsSync('/usr/bin/bwrap') ? false : 'bubblewrap is missing: apt install bubblewrap'
const label = { level: 1, integrity: 'trusted', lanes: [] } as const
const { signal } = new AbortController()
const commit = async () => {}
const b = '/usr/bin'
const sandbox = createSandbox()

/** A folder with `note.md` and `old/`, a script of the house, and a connector that is for them. */
function opened(t: TestContext, options: Partial<ShellOptions> = {}) {
  const base = realpathSync(temporaryFolder(t))
  chmodSync(base, 0o755)
  const [root, house, own] = ['site', 'house', 'releaser'].map((name) => join(base, name)) as [string, string, string]
  for (const folder of [root, house, join(root, 'old')]) {
    mkdirSync(folder)
    chmodSync(folder, 0o777)
  }
  const put = (path: string, text: string) => writeFileSync(join(root, path), text, { mode: 0o666 })
  put('note.md', 'a note\n')
  put('old/a.txt', 'A')
  put('old/b.txt', 'BB')
  const script = join(house, 'tidy.sh')
  const scripted = (text: string) => {
    writeFileSync(script, `#!/bin/sh\n${text}\n`)
    chmodSync(script, 0o755)
  }
  scripted('rm -f note.md')
  const settings: ShellOptions = {
    name: 'chores', folders: [{ name: 'site', path: root, label }], timeoutMs: 20_000, rules: [], folder: own, sandbox: () => sandbox,
    allow: [...['rm', 'cp', 'touch', 'git', 'sqlite3', 'chmod', 'env', 'timeout', 'find', 'cat', 'yes', 'sleep', 'head', 'su', 'tsort'].map((name) => `${b}/${name}`), '/bin/sh', script], ...options,
  }
  const connector = createShellConnector(settings)
  const reopened = (more: Partial<ShellOptions>) => createShellConnector({ ...settings, ...more })
  const compose = (argv: string[], more: object = {}) => composedBy(connector, 'shell.act', { folder: 'site', argv, ...more })
  const examined = async (argv: string[], more: object = {}) => readOutboundAct(await compose(argv, more)) as ShellAct
  return { base, root, own, script, put, scripted, connector, reopened, compose, examined, at: (path: string) => join(root, path) }
}

const all = (path: string) => readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1)).sort()
const untouched = ['note.md', 'old/a.txt', 'old/b.txt']

describe('a signed command', { skip }, () => {
  connectorContract('shell', async (t) => {
    const { connector, compose, at } = opened(t)
    return { connector, act: { kind: 'shell.act', wire: await compose([`${b}/cp`, 'note.md', 'copy.md']), arrives: Buffer.from('a note\n') }, arrived: async () => (existsSync(at('copy.md')) ? [readFileSync(at('copy.md'))] : []) }
  })

  test('that removes is tried out on a copy: all that would be gone is listed, and nothing is', async (t) => {
    const { root, examined, own } = opened(t)
    const act = await examined([`${b}/rm`, '-rf', 'old'])
    assert.deepEqual([act.tried, act.argv, act.folder, act.root, act.cwd], [0, [`${b}/rm`, '-rf', 'old'], 'site', root, ''])
    assert.deepEqual(act.lost.map(({ path, type, size, becomes }) => [path, type, size, becomes]), [['old', 'folder', 0, null], ['old/a.txt', 'file', 1, null], ['old/b.txt', 'file', 2, null]])
    assert.match(act.programs[0]!.sha256, /^[0-9a-f]{64}$/)
    const words = wordsOfAct(act)
    assert.match(words, /^Run in the folder site .*\n {2}\/usr\/bin\/rm\n {2}-rf\n {2}old\nIt gets no network and no credentials/)
    assert.match(words, /\n3 gone, 0 changed, 3 bytes; 0 commits; 0 tables\.\n\nold\/ {2}gone\nold\/a\.txt {2}gone, was 1 bytes {2}sha256 [0-9a-f]{64}\n/)
    assert.deepEqual(all(root), untouched)
    assert.deepEqual(readdirSync(own), ['programs'])
  })

  test('takes away what was listed, and its receipt says how it ended and the digest of what it said', async (t) => {
    const { root, connector, compose } = opened(t)
    const wire = await compose([`${b}/find`, '.', '-name', '*.txt', '-print', '-exec', `${b}/rm`, '{}', ';'])
    const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
    assert.deepEqual([receipt['exit'], receipt['ended'], receipt['folder'], receipt['stdout_bytes']], [0, 'exit', 'site', './old/a.txt\n./old/b.txt\n'.length])
    assert.deepEqual(all(root), ['note.md'])
  })

  test('names the files among its arguments by their digests, and where it is run', async (t) => {
    const { examined } = opened(t)
    const act = await examined([`${b}/head`, '-n1', '--', 'a.txt', '../note.md'], { cwd: 'old' })
    assert.deepEqual([act.tried, act.cwd, act.files.map(({ path }) => path)], [null, 'old', ['note.md', 'old/a.txt']])
  })

  test('is tried out when its program is not known to take nothing away', async (t) => {
    const { examined } = opened(t)
    for (const [argv, tried] of [[['tsort', 'note.md'], 0], [['cat', 'note.md'], null], [['timeout', '5', `${b}/tsort`, 'note.md'], 0], [['timeout', '5', `${b}/cat`, 'note.md'], null]] as const) {
      assert.equal((await examined([`${b}/${argv[0]}`, ...argv.slice(1)])).tried, tried, argv.join(' '))
    }
  })

  test('is given its folder for reading only when it was not tried out, since it is known to write nothing', async (t) => {
    const seen: (string | undefined)[] = []
    const real = await sandbox
    const watched = async () => ({ ...real, run: (command: Parameters<typeof real.run>[0]) => {
      if (command.argv[0] === `${b}/cat`) seen.push(command.folders?.[0]?.access)
      return real.run(command)
    } })
    const { connector, compose, examined } = opened(t, { sandbox: watched })
    const wire = await compose([`${b}/cat`, 'note.md'])
    assert.equal((await connector.deliver(wire, documentFor(wire), signal, commit))['exit'], 0)
    assert.deepEqual(seen, ['read'])
    assert.equal((await examined([`${b}/touch`, 'made'])).tried, 0)
  })

  test('of git is tried out even when it only looks: the configuration of a repository names programs that it starts', { skip: existsSync(`${b}/git`) ? false : 'git is missing: apt install git' }, async (t) => {
    const { root, at, put, examined } = opened(t)
    execFileSync('git', ['init', '--quiet'], { cwd: root })
    put('watch.sh', '#!/bin/sh\nrm note.md\n')
    chmodSync(at('watch.sh'), 0o755)
    execFileSync('git', ['config', 'core.fsmonitor', './watch.sh'], { cwd: root })
    execFileSync('chmod', ['-R', 'a+rwX', at('.git')])
    const act = await examined([`${b}/git`, 'status'])
    assert.deepEqual([act.tried, act.lost.map(({ path, becomes }) => [path, becomes])], [0, [['note.md', null]]])
  })

  test('that changes a file too large to be read is found out, though it sets its time back', async (t) => {
    const { put, at, examined, script, scripted } = opened(t)
    put('large', '')
    truncateSync(at('large'), 17 * 1024 * 1024)
    utimesSync(at('large'), 1_000, 1_000)
    scripted('printf x | dd of=large conv=notrunc 2>/dev/null; touch -d @1000 large')
    assert.deepEqual((await examined([script])).lost.map(({ path, becomes }) => [path, becomes]), [['large', 'changed']])
    scripted('cat large >/dev/null')
    assert.deepEqual((await examined([script])).lost, [])
  })

  const changes: Readonly<Record<string, [why: RegExp, (site: ReturnType<typeof opened>) => void]>> = {
    'a file that it would remove': [/what it would take away/, ({ put }) => put('old/a.txt', 'other')],
    'another file in a folder that it would remove': [/what it would take away/, ({ put }) => put('old/new.txt', 'new')],
    'the program': [/a program of it/, ({ script }) => writeFileSync(script, '#!/bin/sh\nrm -rf old # and more\n')],
    'the folder': [/the folder is/, ({ root, base }) => {
      renameSync(root, join(base, 'elsewhere'))
      symlinkSync(join(base, 'elsewhere'), root)
    }],
  }
  for (const [name, [why, change]] of Object.entries(changes)) {
    test(`is not run when something changed since it was frozen: ${name}`, async (t) => {
      const site = opened(t)
      site.scripted('rm -rf old')
      const wire = await site.compose([site.script])
      change(site)
      const outcome = await failedDelivery(site.connector, wire)
      assert.deepEqual([outcome.code, outcome.spent], ['connector.not_sent', 0])
      assert.match(outcome.message, why)
      assert(existsSync(site.at('old')) && existsSync(site.at('note.md')))
    })
  }

  test('is not run when a file among its arguments changed since', async (t) => {
    const { connector, compose, put, at } = opened(t)
    const wire = await compose([`${b}/touch`, '-r', 'note.md', 'made'])
    put('note.md', 'other')
    assert.match((await failedDelivery(connector, wire)).message, /a file among its arguments/)
    assert(!existsSync(at('made')))
  })

  test('is not run when the connector leads elsewhere, or the house forbids it since', async (t) => {
    const { reopened, compose, root } = opened(t)
    const wire = await compose([`${b}/rm`, 'note.md'])
    assert.match((await failedDelivery(reopened({ allow: [`${b}/rm`] }), wire)).message, /this connector leads to/)
    const rules: ShellRule[] = [{ program: 'rm', arguments: [], outcome: 'forbidden', reason: 'not any more' }]
    const forbidden = await failedDelivery(reopened({ rules }), wire)
    assert.deepEqual([forbidden.code, forbidden.spent, /not any more/.test(forbidden.message)], ['connector.not_sent', 0, true])
    assert.deepEqual(all(root), untouched)
  })

  test('is run with the bytes of the program that were signed, whatever its file is by then', async (t) => {
    const { connector, compose, script, scripted, root } = opened(t)
    const wire = await compose([script])
    await connector.deliver(wire, documentFor(wire), signal, async () => scripted('rm -rf old'))
    assert.deepEqual(all(root), ['old/a.txt', 'old/b.txt'])
  })

  test('is run once, on a copy, and what was compared with the signed is what the folder becomes: it cannot tell the run from a trial', async (t) => {
    const { root, put, connector, compose, script, scripted, own } = opened(t)
    put('plan', '')
    // as a hook or a makefile of an agent would
    scripted('rm -r old; . ./plan; echo new > made')
    const wire = await compose([script])
    const receipt = await connector.deliver(wire, documentFor(wire), signal, async () => put('plan', 'rm note.md; echo other > plan\n'))
    assert.deepEqual([receipt['lost'], receipt['put'], receipt['folders_stay']], [3, 1, 0])
    assert.deepEqual([all(root), readFileSync(join(root, 'made'), 'utf8')], [['made', 'note.md', 'plan'], 'new\n'])
    assert.deepEqual([readdirSync(own).sort(), readdirSync(join(own, 'left'))], [['left', 'programs', 'receipts'], []])
  })

  test('takes away what it took by its name, and no more: what came into a folder after the last look stays, with the folder', async (t) => {
    const { put, root, connector, compose } = opened(t)
    const wire = await compose([`${b}/rm`, '-r', 'old'])
    const receipt = await connector.deliver(wire, documentFor(wire), signal, async () => put('old/late.txt', 'late'))
    assert.deepEqual([receipt['folders_stay'], all(root)], [1, ['note.md', 'old/late.txt']])
  })

  test('is not carried out over what somebody wrote while it ran', async (t) => {
    const real = await sandbox
    let runs = 0
    const late = async () => ({ ...real, run: async (command: Parameters<typeof real.run>[0]) => {
      const result = await real.run(command)
      // the one before the freeze, and the one before the signature is spent
      if (command.argv[0] === script && ++runs === 2) put('old/a.txt', 'written meanwhile')
      return result
    } })
    const { put, at, connector, compose, script, scripted } = opened(t, { sandbox: late })
    scripted('rm -r old')
    const outcome = await failedDelivery(connector, await compose([script]))
    assert.deepEqual([outcome.code, outcome.spent, readFileSync(at('old/a.txt'), 'utf8')], ['connector.not_sent', 0, 'written meanwhile'])
    assert.match(outcome.message, /somebody changed old\/a\.txt/)
  })

  test('keeps the folder as it was and as it was to be when not all can be carried over, and says where', async (t) => {
    const { at, put, own, connector, compose, script, scripted } = opened(t)
    scripted('rm note.md; echo new > made')
    const wire = await compose([script])
    const fault = await connector.deliver(wire, documentFor(wire), signal, async () => mkdirSync(at('made'))).then(() => assert.fail('it was carried over'), (error: Fault) => error)
    assert.equal(fault.code, 'connector.unknown')
    const [, place] = /and delete (\S+)$/.exec(fault.message) ?? []
    assert.deepEqual([readFileSync(join(place!, 'before', 'note.md'), 'utf8'), readFileSync(join(place!, 'after', 'made'), 'utf8')], ['a note\n', 'new\n'])
    assert.match(await connector.remains!(wire) ?? '', /the folder as it was is in/)
    // nor does the next command, or the next start, sweep it away
    const { compose: again } = { compose: (argv: string[]) => composedBy(createShellConnector({ name: 'chores', folders: [{ name: 'site', path: at('.'), label }], timeoutMs: 20_000, rules: [], folder: own, sandbox: () => sandbox, allow: [`${b}/touch`] }), 'shell.act', { folder: 'site', argv }) }
    put('note.md', 'x')
    await again([`${b}/touch`, 'other'])
    assert.ok(existsSync(join(place!, 'before', 'old', 'b.txt')))
  })

  test('carries over what it made as it is: modes, links, empty folders, times, names like options, and files of others in their place or anew', async (t) => {
    const { root, at, connector, compose, script, scripted } = opened(t)
    // who runs the command may replace it and not write it
    chmodSync(at('note.md'), 0o644)
    const { ino } = statSync(at('old/a.txt'))
    scripted([
      'mkdir -p empty/deep; chmod 750 empty; ln -s ../note.md empty/link', 'echo x > -rf; echo y > "two words"; echo z > "$(printf "a\\nb")"',
      'cp note.md next; echo more >> next; mv next note.md', 'echo AA >> old/a.txt; chmod 600 old/b.txt', 'touch -d @1000 "two words"', 'mkdir shut; echo s > shut/in; chmod 555 shut',
    ].join('\n'))
    const wire = await compose([script])
    const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
    assert.deepEqual(all(root), ['-rf', 'a\nb', 'empty/link', 'note.md', 'old/a.txt', 'old/b.txt', 'shut/in', 'two words'], JSON.stringify(receipt))
    assert.deepEqual([readFileSync(at('note.md'), 'utf8'), readFileSync(at('old/a.txt'), 'utf8'), readlinkSync(at('empty/link'))], ['a note\nmore\n', 'AAA\n', '../note.md'])
    assert.deepEqual([at('empty'), at('old/b.txt'), at('shut')].map((path) => statSync(path).mode & 0o777), [0o750, 0o600, 0o555])
    assert.deepEqual([statSync(at('two words')).mtimeMs, statSync(at('old/a.txt')).ino, existsSync(at('empty/deep'))], [1_000_000, ino, true])
    // so that it can be removed
    chmodSync(at('shut'), 0o755)
  })

  test('is refused when it would write a database beneath a program that has it open', async (t) => {
    const { put, compose, script, scripted } = opened(t)
    put('books.db', 'pages')
    put('books.db-wal', 'pages of another')
    scripted('echo more >> books.db')
    await assert.rejects(compose([script]), { code: 'shell.in_use', message: /books\.db is a database that another program has open/ })
    scripted('cat books.db')
    await compose([script])
  })

  test('of a script is signed with the programs that its first line names, and run with their bytes', async (t) => {
    const { examined, script, at } = opened(t)
    const starts = async (line: string) => {
      writeFileSync(script, `${line}\n`)
      return (await examined([script])).programs.map(({ path }) => path)
    }
    assert.deepEqual(await starts('#!/bin/sh'), [script, realpathSync('/bin/sh')])
    assert.deepEqual(await starts('#! /usr/bin/env -S perl -w'), [script, `${b}/env`, realpathSync(`${b}/perl`)])
    copyFileSync(realpathSync('/bin/sh'), at('sh'))
    chmodSync(at('sh'), 0o755)
    await assert.rejects(starts(`#!${at('sh')}`), { code: 'shell.program', message: /lies in the folder that the command works in/ })
    await assert.rejects(starts('#!/usr/bin/env no-such-program'), { code: 'shell.program' })
    for (const unclear of ['', '-Sperl', '-S -u HOME perl', '-i perl', '--split-string=perl', 'A=1 perl']) await assert.rejects(starts(`#!/usr/bin/env ${unclear}`), { code: 'shell.program', message: /does not say plainly what it starts/ }, unclear)
  })

  test('is refused when a program of it lies in the folder, where another can be put in its place', async (t) => {
    const { at, put, root, reopened } = opened(t)
    put('mine.sh', '#!/bin/sh\n')
    chmodSync(at('mine.sh'), 0o755)
    await assert.rejects(composedBy(reopened({ allow: [join(root, 'mine.sh')] }), 'shell.act', { folder: 'site', argv: [at('mine.sh')] }), { code: 'shell.program' })
  })

  test('makes no program that runs with the rights of the releaser, neither as it says nor otherwise', async (t) => {
    const { put, at, connector, compose, script, scripted } = opened(t)
    put('plan', '')
    scripted('cp /usr/bin/id made; . ./plan; rm note.md')
    const wire = await compose([script])
    put('plan', 'chmod u+s made')
    await assert.rejects(compose([script]), { code: 'shell.rights', message: /would make made a program that runs with the rights/ })
    put('plan', '')
    await connector.deliver(wire, documentFor(wire), signal, async () => put('plan', 'chmod 6755 made'))
    assert.equal(statSync(at('made')).mode & 0o7777, 0o755)
    put('plan', 'chmod 6755 made')
    put('note.md', 'again')
    await assert.rejects(compose([script]), { code: 'shell.rights' })
    scripted('cp /usr/bin/id made; chmod 6755 made')
    execFileSync(script, { cwd: at('.') })
    assert.equal(statSync(at('made')).mode & 0o7777, 0o6755, 'outside of it, it works')
  })

  test('of git tells the files and the commits that would be lost', { skip: existsSync(`${b}/git`) ? false : 'git is missing: apt install git' }, async (t) => {
    const { root, put, examined, connector, compose } = opened(t)
    const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@localhost', ...args], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
    git('init', '--quiet', '--initial-branch=main')
    git('add', '--all')
    git('commit', '--quiet', '--message', 'First')
    put('note.md', 'a second note\n')
    git('commit', '--quiet', '--all', '--message', 'Second')
    const second = git('rev-parse', 'HEAD')
    put('old/a.txt', 'not committed')
    execFileSync('chmod', ['-R', 'a+rwX', join(root, '.git')])
    const act = await examined([`${b}/git`, 'reset', '--hard', 'HEAD~1'])
    assert.deepEqual(act.commits, [{ id: second, subject: 'Second' }])
    assert.deepEqual(act.lost.map(({ path, becomes }) => [path, becomes]), [['note.md', 'changed'], ['old/a.txt', 'changed']])
    const clean = await examined([`${b}/git`, 'stash', 'list'])
    assert.deepEqual([clean.lost, clean.commits], [[], []])
    const wire = await compose([`${b}/git`, 'reset', '--hard', 'HEAD~1'])
    await connector.deliver(wire, documentFor(wire), signal, commit)
    assert.equal(readFileSync(join(root, 'note.md'), 'utf8'), 'a note\n')
  })

  test('of git tells the commits that would be lost in a repository below the folder too, and those that only the stash holds', { skip: existsSync(`${b}/git`) ? false : 'git is missing: apt install git' }, async (t) => {
    const { root, put, examined, at } = opened(t)
    const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@localhost', ...args], { cwd: at('old'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
    git('init', '--quiet', '--initial-branch=main')
    git('add', '--all')
    git('commit', '--quiet', '--message', 'First')
    git('checkout', '--quiet', '-b', 'idea')
    git('commit', '--quiet', '--allow-empty', '--message', 'An idea')
    const idea = git('rev-parse', 'HEAD')
    git('checkout', '--quiet', 'main')
    for (const text of ['one', 'two']) {
      put('old/a.txt', text)
      git('stash', 'push', '--quiet', '--message', text)
    }
    const older = git('rev-parse', 'stash@{1}')
    execFileSync('chmod', ['-R', 'a+rwX', root])
    const lost = async (...args: string[]) => (await examined([`${b}/git`, ...args])).commits.map(({ id }) => id)
    assert.deepEqual(await lost('-C', 'old', 'branch', '-D', 'idea'), [idea])
    assert.ok((await lost('-C', 'old', 'stash', 'drop', 'stash@{1}')).includes(older))
    assert.deepEqual(await lost('-C', 'old', 'branch', 'another'), [])
    execFileSync('git', ['init', '--quiet'], { cwd: root })
    execFileSync('chmod', ['-R', 'a+rwX', at('.git')])
    const clean = await examined([`${b}/git`, 'clean', '-ffdx'])
    assert.deepEqual([clean.commits, clean.lost.some(({ path, becomes }) => path === 'old/.git' && becomes === null)], [[], true])
  })

  test('of a database tells the rows and tables that would be lost', { skip: existsSync(`${b}/sqlite3`) ? false : 'sqlite3 is missing: apt install sqlite3' }, async (t) => {
    const { at, examined } = opened(t)
    execFileSync('sqlite3', [at('books.db'), 'create table "my ""books" (a); insert into "my ""books" values (1), (2), (3); create table kept (a); insert into kept values (1), (2)'])
    chmodSync(at('books.db'), 0o666)
    const dropped = await examined([`${b}/sqlite3`, '-safe', 'books.db', 'drop table "my ""books"; delete from kept where a = 1'])
    assert.deepEqual(dropped.tables, [{ file: 'books.db', table: 'kept', before: 2, after: 1 }, { file: 'books.db', table: 'my "books', before: 3, after: null }])
    assert.match(wordsOfAct(dropped), /table my "books of books\.db: gone, with 3 rows/)
    assert.deepEqual((await examined([`${b}/sqlite3`, '-safe', 'books.db', 'insert into kept values (3)'])).tables, [])
    assert.equal(execFileSync('sqlite3', [at('books.db'), 'select count(*) from kept'], { encoding: 'utf8' }).trim(), '2')
  })

  const refused: Readonly<Record<string, [code: string, (site: ReturnType<typeof opened>) => [argv: string[], more?: object]]>> = {
    'a shell': ['shell.forbidden', () => [['/bin/sh', '-c', 'id']]],
    'another with other rights': ['shell.forbidden', () => [[`${b}/env`, `${b}/timeout`, '5', `${b}/su`, '-c', 'id']]],
    'a program that is not allowed': ['shell.not_allowed', () => [[`${b}/id`]]],
    'a file of the system': ['shell.forbidden', () => [[`${b}/cp`, '/etc/hostname', 'x']]],
    'a file outside of the folder': ['shell.path', ({ base }) => [[`${b}/cat`, join(base, 'house/tidy.sh')]]],
    'a path that leads upwards': ['shell.path', () => [[`${b}/cat`, '../house/tidy.sh']]],
    'a symbolic link': ['shell.path', ({ at }) => (symlinkSync('note.md', at('link')), [[`${b}/cat`, 'link']])],
    'a folder that is not the connector’s': ['shell.folder', () => [[`${b}/cat`, 'note.md'], { folder: 'other' }]],
    'a place that is none': ['shell.cwd', () => [[`${b}/cat`, 'note.md'], { cwd: '../site' }]],
    'a character that hides another': ['mail.control', () => [[`${b}/cat`, 'note\u202e.md']]],
    'text for a shell': ['draft.payload', () => [[], {}]],
    'a command that cannot be tried out': ['shell.trial', () => [[`${b}/rm`, 'not-there']]],
    'a command that takes too long to be tried out': ['shell.trial', ({ script, scripted }) => (scripted('sleep 60'), [[script]])],
  }
  for (const [name, [code, proposed]] of Object.entries(refused)) {
    test(`is refused when it names ${name}`, async (t) => {
      const site = opened(t, { timeoutMs: 2_000 })
      const [argv, more] = proposed(site)
      await assert.rejects(site.compose(argv, more), (fault: Fault) => fault.code === code && fault.message.length > 20)
      assert.deepEqual(all(site.root).filter((path) => path !== 'link'), untouched)
    })
  }

  test('sees and changes nothing but its folder, and reaches nobody', async (t) => {
    const { base, connector, compose, script, scripted, root } = opened(t)
    writeFileSync(join(base, 'secret'), 'a secret of the releaser')
    writeFileSync(join(base, 'outside'), '')
    chmodSync(join(base, 'outside'), 0o666)
    let reached = 0
    const server = createServer(() => void (reached += 1)).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const attack = `cat ${base}/secret /proc/*/environ > taken; env >> taken; echo x >> ${base}/outside; ${b}/perl -MIO::Socket::INET -e 'IO::Socket::INET->new("127.0.0.1:${(server.address() as AddressInfo).port}")'; echo done >> taken`
    process.env['CASTELLAN_TEST_SECRET'] = 'a secret of the environment'
    t.after(() => delete process.env['CASTELLAN_TEST_SECRET'])
    scripted(attack)
    const wire = await compose([script])
    await connector.deliver(wire, documentFor(wire), signal, commit)
    const seen = () => [/done/.test(readFileSync(join(root, 'taken'), 'utf8')), /a secret of/.test(readFileSync(join(root, 'taken'), 'utf8')), readFileSync(join(base, 'outside'), 'utf8') !== '', reached > 0]
    assert.deepEqual(seen(), [true, false, false, false])
    const arrival = once(server, 'connection')
    execFileSync(script, { cwd: root, stdio: 'ignore' })
    await arrival
    assert.deepEqual(seen(), [true, true, true, true])
  })

  test('is ended when it says too much or takes too long, and its receipt says so', async (t) => {
    for (const [argv, ended, timeoutMs] of [[[`${b}/yes`], 'output', 60_000], [[`${b}/sleep`, '60'], 'timeout', 1_500]] as const) {
      const { connector, compose } = opened(t, { timeoutMs })
      const wire = await compose([...argv])
      assert.equal((await connector.deliver(wire, documentFor(wire), signal, commit))['ended'], ended)
    }
  })

  test('leaves nothing behind when what it made is closed to everybody', async (t) => {
    const { own, compose, script, scripted } = opened(t)
    scripted('mkdir -p closed/deep && chmod 000 closed/deep closed; rm note.md')
    // under a user of its own the releaser cannot look into it either, and refuses
    await compose([script]).catch((error: Fault) => assert.equal(error.code, 'shell.failed'))
    assert.deepEqual(readdirSync(own), ['programs'])
  })

  test('needs the passkey itself when it takes something away, changes rights, or touches what is delicate', async (t) => {
    const { connector, put, root, script, scripted } = opened(t)
    const outbox = await testOutbox(t, { connectors: () => [connector] })
    const freeze = async (argv: string[]) => {
      const { risk, document } = await outbox.freeze({ folder: 'site', argv }, { kind: 'shell.act', connector: 'chores', label: { level: 0, integrity: 'trusted', lanes: [] } })
      return { risk, reasons: (JSON.parse(document) as { reasons: string[] }).reasons.join('\n') }
    }
    put('.env', 'A=B')
    assert((await freeze([`${b}/touch`, 'made'])).risk < 7)
    assert.equal((await freeze([`${b}/rm`, 'note.md'])).risk, 7)
    for (const [argv, why] of [[['chmod', 'a+w', 'old'], /who may read, write or run/], [['env', `${b}/chmod`, '644', 'note.md'], /who may read/], [['cp', 'note.md', '.env'], /security/]] as const) {
      const { risk, reasons } = await freeze([`${b}/${argv[0]}`, ...argv.slice(1)])
      assert.deepEqual([risk >= 8, why.test(reasons)], [true, true], reasons)
    }
    scripted('true')
    assert.match((await freeze([script])).reasons, /a script of the house/)
    const { id } = await outbox.readyToRelease({ folder: 'site', argv: [`${b}/rm`, 'note.md'] }, { kind: 'shell.act', connector: 'chores' })
    await releaseDrafts(outbox.deps)
    assert.equal((await outbox.draft(id)).state, 'released')
    assert(!existsSync(join(root, 'note.md')))
  })
})

test('without bubblewrap nothing is frozen and nothing is run', { skip }, async (t) => {
  const { reopened, compose, at } = opened(t)
  const wire = await compose([`${b}/rm`, 'note.md'])
  const blind = reopened({ sandbox: () => createSandbox({ bwrapPath: '/nowhere/bwrap' }) })
  await assert.rejects(composedBy(blind, 'shell.act', { folder: 'site', argv: [`${b}/rm`, 'note.md'] }), { code: 'sandbox.unsafe', message: /install the package bubblewrap/ })
  const outcome = await failedDelivery(blind, wire)
  assert.deepEqual([outcome.code, outcome.spent, existsSync(at('note.md')), /install the package bubblewrap/.test(outcome.message)], ['connector.not_sent', 0, true, true])
})
