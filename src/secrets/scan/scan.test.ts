import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openAccepted, openSecretFolder, scanAll, wantedIn } from '../index.ts'

// put together here, so that this file is no finding itself
const token = (tail: string) => ['ghp', '_', `a8Bd2kLmQ0zXw7RtYv5NcJh3Pf6SgUe1Iro${tail}`].join('')
const own = 'the-bank-of-the-river-77'

function desk(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'castellan-scan-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const folder = openSecretFolder(home)
  folder.write('river', own)
  const house = join(home, 'house')
  const write = (file: string, content: string | Buffer) => {
    mkdirSync(join(house, file, '..'), { recursive: true })
    writeFileSync(join(house, file), content)
  }
  const git = (...args: string[]) => execFileSync('git', ['-C', house, '-c', 'user.name=Me', '-c', 'user.email=me@example.org', '-c', 'commit.gpgsign=false', ...args], { stdio: ['ignore', 'pipe', 'pipe'] }).toString().trim()
  const commit = (message: string) => (git('add', '-A'), git('commit', '--allow-empty', '-m', message), git('rev-parse', '--short', 'HEAD'))
  write('readme.md', 'a house\n')
  const scan = (history = true) => scanAll({ wanted: wantedIn(folder), accepted: openAccepted(house, folder), history }, [{ where: 'house', path: house }], [])
  const places = async () => (await scan()).leaks.map(({ where, file, line, kind }) => `${where} ${file.replace(`${house}/`, '').replace(house, '')}:${line} ${kind}`).sort()
  return { home, folder, house, write, git, commit, scan, places }
}

test('a secret of the house and what looks like one are found with file and line; git itself, other people’s packages, pictures, links and pipes are left alone', async (t) => {
  const { home, house, write, scan } = desk(t)
  write('jobs/a.yaml', `one\ntwo: ${own}\n`)
  write('notes/b.md', `${Buffer.from(`x${own}`).toString('base64')}\n${token('9')}\n`)
  for (const left of ['.git/config', 'node_modules/p/index.js']) write(left, own)
  write('picture.png', Buffer.concat([Buffer.from([137, 80, 78, 71, 0]), Buffer.from(own)]))
  symlinkSync(join(home, 'secrets'), join(house, 'link'))
  symlinkSync('.', join(house, 'loop'))
  execFileSync('mkfifo', [join(house, 'pipe')])
  const { leaks, binaries, unread } = await scan(false)
  assert.deepEqual(leaks.map(({ file, line, kind, begins, id }) => [file.slice(house.length + 1), line, kind, begins, id !== null]).sort(), [
    ['jobs/a.yaml', 2, 'secret river, as it is', null, false], ['notes/b.md', 1, 'secret river, in base64', null, false], ['notes/b.md', 2, 'GitHub token', 'ghp_… (40 characters)', true],
  ])
  assert.deepEqual([binaries, unread], [1, []])
  assert.doesNotMatch(JSON.stringify(leaks), /river-77|a8Bd2k/)
})

test('what was taken out of a file stands in its history still, with the commit that brought it in; so do messages, stashes and what no branch reaches', async (t) => {
  const { house, write, git, commit, places, scan } = desk(t)
  git('init', '-q', '-b', 'main')
  commit('Begin')
  write('app.env', `TOKEN=${token('9')}\n`)
  const brought = commit('Add the settings')
  write('app.env', 'TOKEN=\n')
  commit('Take it out')
  commit(`Say ${own} in a message`)
  commit('Go on')
  write('stashed.txt', `${token('8')}\n`)
  git('add', '-A')
  git('stash')
  git('checkout', '-q', '-b', 'aside')
  write('aside.txt', `${token('7')}\n`)
  commit('Go aside')
  git('checkout', '-q', 'main')
  git('branch', '-q', '-D', 'aside')
  assert.deepEqual((await places()).map((place) => place.replace(/[0-9a-f]{10}/, 'ID').replace(/ID:\d/, 'ID:N')), [
    'history : message of commit ID:N secret river, as it is', 'history aside.txt:1 GitHub token', 'history app.env:1 GitHub token', 'history stashed.txt:1 GitHub token',
  ].sort())
  const { leaks } = await scan()
  assert.equal(leaks.find(({ file }) => file === join(house, 'app.env'))!.commit, brought)
  assert.deepEqual((await scan(false)).leaks, [])
})

test('what still stands in a file is told once, a repository in a repository is looked through, and nothing of a hostile one is run', async (t) => {
  const { home, house, write, git, commit, places } = desk(t)
  git('init', '-q', '-b', 'main')
  write('.gitattributes', '* diff=evil filter=evil\n')
  write('app.env', `${token('9')}\n`)
  commit('Begin')
  const trap = join(home, 'trap')
  writeFileSync(join(home, 'run'), `#!/bin/sh\ntouch ${trap}\ncat\n`)
  chmodSync(join(home, 'run'), 0o755)
  for (const key of ['diff.evil.textconv', 'diff.external', 'filter.evil.smudge', 'core.fsmonitor', 'core.pager', 'gpg.program', 'core.sshCommand']) git('config', key, join(home, 'run'))
  git('config', 'log.showSignature', 'true')
  mkdirSync(join(house, 'inner'))
  execFileSync('git', ['-C', join(house, 'inner'), 'init', '-q'])
  write('inner/x.txt', `${token('6')}\n`)
  execFileSync('sh', ['-c', 'git add -A && git -c user.name=Me -c user.email=me@example.org commit -qm x && rm x.txt'], { cwd: join(house, 'inner'), env: { PATH: process.env.PATH, HOME: home } })
  rmSync(trap, { force: true })
  assert.deepEqual(await places(), ['history inner/x.txt:1 GitHub token', 'house app.env:1 GitHub token'])
  assert.equal(existsSync(trap), false)
})

test('what is accepted is not told of again, in that file alone; the house holds a digest that says nothing without the key of the home', async (t) => {
  const { home, house, folder, write, scan } = desk(t)
  write('example.md', `${token('9')}\n`)
  const [leak] = (await scan()).leaks
  openAccepted(house, folder).add([{ id: leak!.id!, file: leak!.file, kind: leak!.kind }], new Date('2026-11-28T08:00:00Z'))
  const accepted = await scan()
  assert.deepEqual([accepted.leaks, accepted.accepted], [[], 1])
  assert.deepEqual(JSON.parse(readFileSync(join(house, 'accepted-findings.json'), 'utf8')).accepted, [{ id: leak!.id, file: 'example.md', kind: 'GitHub token', on: '2026-11-28' }])
  cpSync(house, join(home, 'moved'), { recursive: true })
  const moved = await scanAll({ wanted: wantedIn(folder), accepted: openAccepted(join(home, 'moved'), folder), history: false }, [{ where: 'house', path: join(home, 'moved') }], [])
  assert.equal(moved.accepted, 1)
  write('other.md', `${token('9')}\n`)
  write('example.md', `${token('9')}\n${token('5')}\n`)
  assert.deepEqual((await scan()).leaks.map(({ file, line }) => [file, line]).sort(), [[join(house, 'example.md'), 2], [join(house, 'other.md'), 1]])
  assert.doesNotMatch(readFileSync(join(house, 'accepted-findings.json'), 'utf8'), /ghp_|a8Bd2k/)
  rmSync(join(home, 'secrets', '.scan-key'))
  assert.equal((await scan()).accepted, 0)
  write('accepted-findings.json', '{"version":1,"accepted":[{}]}')
  await assert.rejects(async () => scan(), { code: 'house.accepted' })
})
