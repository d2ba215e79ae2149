import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { composedBy, failedDelivery } from '../../../../test/support/attempt-delivery.ts'
import { gitBench, startGitServer } from '../../../../test/support/git-origin.ts'
import { testOutbox } from '../../../../test/support/outbox.ts'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { Fault } from '../../../kernel/fault.ts'
import { readOutboundAct, wordsOfAct } from '../../acts/outbound-act.ts'
import type { GitPushAct } from '../../acts/push-act.ts'
import { releaseDrafts } from '../../release-drafts.ts'
import { alone, connectorContract, documentFor } from '../connector.contract.ts'
import { createConnectors } from '../connectors.ts'
import { createGitConnector, type GitOptions } from './git.ts'

const { signal } = new AbortController()
const commit = async () => {}
const login = { user: 'house', password: 'token-of-the-house' }

function opened(t: TestContext, options: Partial<GitOptions> = {}) {
  const bench = gitBench(t)
  const connector = createGitConnector({
    name: 'site', repository: bench.work, remote: bench.origin, branches: ['agent/*', 'main'], folder: join(temporaryFolder(t), 'git'), isPrivate: true, ...options,
  })
  return { ...bench, connector, compose: (at: string, branch = 'agent/typo') => composedBy(connector, 'git.push', { branch, commit: at }) }
}

async function served(t: TestContext, options: Partial<GitOptions> = {}) {
  const bench = gitBench(t)
  bench.git(bench.origin, 'config', 'http.receivepack', 'true')
  const server = await startGitServer(t, bench.origin, login)
  const connector = createGitConnector({
    name: 'site', repository: bench.work, remote: `http://localhost:${server.port}/${basename(bench.origin)}`, branches: ['agent/*'], folder: join(temporaryFolder(t), 'git'), isPrivate: true,
    user: login.user, password: { secret: 'git', value: login.password }, ...options,
  })
  return { ...bench, server, connector, compose: (at: string) => composedBy(connector, 'git.push', { branch: 'agent/typo', commit: at }) }
}

connectorContract('git', async (t) => {
  const { connector, compose, commit: make, at } = opened(t)
  const head = make({ 'a.txt': 'a\n' })
  return { connector, act: { kind: 'git.push', wire: await compose(head), arrives: Buffer.from(head) }, arrived: async () => [at('agent/typo')].filter((one) => one !== '').map((one) => Buffer.from(one)) }
})

test('a dry run names both ends, the commits, and every path with its lines, and pushes nothing', async (t) => {
  const { compose, commit: make, git, work, at } = opened(t)
  const base = git(work, 'rev-parse', 'HEAD')
  const first = make({ 'README.md': 'one\ntwo\n', 'src/a.ts': 'export {}\n' }, 'Say two')
  rmSync(join(work, 'src/a.ts'))
  const second = make({ 'image.png': 'x\0y' }, 'Add a picture \u202e and drop a file')
  const wire = await compose(second)
  const act = readOutboundAct(wire) as GitPushAct
  assert.deepEqual([act.ref, act.old, act.new, act.base, act.dropped], ['refs/heads/agent/typo', null, second, base, 0])
  assert.deepEqual(act.commits, [{ id: second, subject: 'Add a picture and drop a file' }, { id: first, subject: 'Say two' }])
  assert.deepEqual(act.changes, [{ path: 'README.md', status: 'M', added: 1, removed: 0 }, { path: 'image.png', status: 'A', added: null, removed: null }])
  assert.match(wordsOfAct(act), /README\.md {2}changed \+1 −0\nimage\.png {2}added, not text\n$/)
  assert.equal(at('agent/typo'), '')
})

test('a branch moves from the commit that was signed to the one that was signed, and its receipt says so', async (t) => {
  const { connector, compose, commit: make, git, work, origin, at } = opened(t)
  const old = git(work, 'rev-parse', 'HEAD')
  const head = make({ 'a.txt': 'a\n' })
  const wire = await compose(head, 'main')
  assert.deepEqual(await connector.deliver(wire, documentFor(wire), signal, commit), { remote: origin, ref: 'refs/heads/main', commit: head, before: old })
  assert.equal(at('main'), head)
  assert.match(await connector.reach!(signal), new RegExp(head.slice(0, 12)))
})

test('when the branch moved since, nothing is pushed over it, before the signature is spent or after', async (t) => {
  const { connector, compose, commit: make, git, work, origin, at } = opened(t)
  const mine = make({ 'a.txt': 'a\n' })
  const wire = await compose(mine, 'main')
  const moveOn = () => {
    git(work, 'commit', '--quiet', '--allow-empty', '--message', 'Theirs')
    git(work, 'push', '--quiet', origin, 'HEAD:main')
    return at('main')
  }
  const raced = await failedDelivery(connector, wire, { commit: async () => void moveOn() })
  assert.deepEqual([raced.code, raced.spent], ['connector.not_sent', 1])
  assert.match(raced.message, /stale info|did not take the push/)
  const theirs = at('main')
  const late = await failedDelivery(connector, wire)
  assert.deepEqual([late.code, late.spent, at('main')], ['connector.not_sent', 0, theirs])
  assert.match(late.message, /is at [0-9a-f]{40} now, and was at/)
})

test('what rewrites a branch, and what changes workflows, operations or security, needs the passkey itself', async (t) => {
  const { connector, commit: make, git, work, origin } = opened(t)
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  const freeze = async (at: string, branch: string) => {
    const { risk, document } = await outbox.freeze({ branch, commit: at }, { kind: 'git.push', connector: 'site', label: { level: 0, integrity: 'trusted', lanes: [] } })
    return { risk, reasons: (JSON.parse(document) as { reasons: string[] }).reasons.join('\n') }
  }
  const plain = make({ 'docs/rechnung.md': 'Rechnung\n' })
  assert((await freeze(plain, 'agent/plain')).risk < 7)
  git(work, 'push', '--quiet', origin, 'HEAD:refs/heads/agent/old')
  git(work, 'reset', '--quiet', '--hard', 'HEAD~1')
  const rewrite = await freeze(make({ 'b.txt': 'b\n' }), 'agent/old')
  assert.deepEqual([rewrite.risk >= 8, /it rewrites the branch: 1 of its commits/.test(rewrite.reasons)], [true, true])
  for (const [name, why] of [['.github/workflows/ci.yml', /workflows/], ['ops/restore.sh', /operations/], ['CODEOWNERS', /security/]] as const) {
    const { risk, reasons } = await freeze(make({ [name]: 'x\n' }), 'agent/new')
    assert.deepEqual([risk >= 8, why.test(reasons)], [true, true], reasons)
  }
  symlinkSync('README.md', join(work, 'link'))
  assert.match((await freeze(make({}), 'agent/new')).reasons, /symbolic link/)
})

test('what stands in the configuration of the repository in which agents commit is not run', async (t) => {
  const { connector, compose, commit: make, git, work, origin, at } = opened(t)
  const [trace, trap] = [join(work, '..', 'trace'), join(work, '..', 'trap.sh')]
  writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> ${trace}\nexit 1\n`)
  chmodSync(trap, 0o755)
  const head = make({ 'a.txt': 'a\n', '.gitattributes': '* diff=trap filter=trap\n' })
  for (const [name, value] of [
    ['core.hooksPath', join(work, '..')], ['core.fsmonitor', trap], ['core.sshCommand', trap], ['credential.helper', trap], ['diff.external', trap], ['diff.trap.textconv', trap], ['filter.trap.smudge', trap],
    ['uploadpack.packObjectsHook', trap], ['remote.origin.url', origin], ['remote.origin.uploadpack', trap], ['remote.origin.promisor', 'true'], ['extensions.partialClone', 'origin'], ['core.pager', trap],
    [`url.${work}.insteadOf`, origin], ['gc.auto', '1'],
  ] as const) writeFileSync(join(work, '.git', 'config'), `${readFileSync(join(work, '.git', 'config'), 'utf8')}[${name.split('.')[0]}${name.split('.').length > 2 ? ` "${name.split('.').slice(1, -1).join('.')}"` : ''}]\n\t${name.split('.').at(-1)} = ${value}\n`)
  for (const hook of ['pre-push', 'post-checkout', 'reference-transaction']) {
    writeFileSync(join(work, '.git', 'hooks', hook), readFileSync(trap))
    chmodSync(join(work, '.git', 'hooks', hook), 0o755)
  }
  writeFileSync(join(origin, 'hooks', 'post-receive'), readFileSync(trap))
  chmodSync(join(origin, 'hooks', 'post-receive'), 0o755)
  const wire = await compose(head)
  await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.equal(git(origin, 'rev-parse', 'refs/heads/agent/typo'), head)
  assert.equal(at('agent/typo'), head)
  // an object that is missing is fetched, by the program that the configuration names, when git works there
  const blob = git(origin, 'rev-parse', `${head}:a.txt`)
  rmSync(join(work, '.git', 'objects', blob.slice(0, 2), blob.slice(2)))
  const elsewhere = createGitConnector({ name: 'other', repository: work, remote: origin, branches: ['agent/*'], folder: join(temporaryFolder(t), 'git'), isPrivate: true })
  await assert.rejects(composedBy(elsewhere, 'git.push', { branch: 'agent/other', commit: head }), { code: 'git.failed' })
  assert.equal(existsSync(trace) ? readFileSync(trace, 'utf8') : '', '')
})

test('what stands in the configuration of a remote on this machine is not run either', async (t) => {
  const { connector, compose, commit: make, git, work, origin, at } = opened(t)
  const [trace, hooks] = [join(work, '..', 'trace'), join(work, '..', 'hooks')]
  mkdirSync(hooks)
  const other = gitBench(t)
  writeFileSync(join(origin, 'objects', 'info', 'alternates'), `${join(other.origin, 'objects')}\n`)
  for (const hook of ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction', 'proc-receive', 'push-to-checkout', 'alternates']) {
    writeFileSync(join(hooks, hook), `#!/bin/sh\necho "$0 $*" >> ${trace}\n`)
    chmodSync(join(hooks, hook), 0o755)
  }
  for (const [name, value] of [['core.hooksPath', hooks], ['core.alternateRefsCommand', join(hooks, 'alternates')], ['receive.autogc', 'true'], ['gc.auto', '1']] as const) git(origin, 'config', name, value)
  const head = make({ 'a.txt': 'a\n' })
  const wire = await compose(head)
  await connector.deliver(wire, documentFor(wire), signal, commit).catch((error: Fault) => assert.equal(error.code, 'connector.not_sent'))
  assert(['', head].includes(at('agent/typo')))
  assert.equal(existsSync(trace) ? readFileSync(trace, 'utf8') : '', '')
})

test('objects that are not what they are called are not taken in', async (t) => {
  const { compose, commit: make, git, work } = opened(t)
  const head = make({ 'a.txt': 'innocent\n' })
  const [blob, other] = [git(work, 'rev-parse', 'HEAD:a.txt'), git(work, 'hash-object', '-w', trapFile(work))]
  const place = (id: string) => join(work, '.git', 'objects', id.slice(0, 2), id.slice(2))
  chmodSync(place(blob), 0o644)
  renameSync(place(other), place(blob))
  await assert.rejects(compose(head), { code: 'git.failed' })
})

function trapFile(work: string): string {
  writeFileSync(join(work, '..', 'other.txt'), 'something else\n')
  return join(work, '..', 'other.txt')
}

test('objects of another repository, which whoever commits may not even read, are not taken in through theirs', async (t) => {
  for (const way of ['alternates', 'folder', 'pack'] as const) {
    const other = gitBench(t)
    const hidden = other.commit({ 'secret.txt': 'of the house\n' })
    if (way === 'pack') other.git(other.work, 'gc', '--quiet')
    const { compose, commit: make, work } = opened(t)
    const [theirs, objects] = [join(other.work, '.git', 'objects'), join(work, '.git', 'objects')]
    make({ 'a.txt': 'a\n' })
    if (way === 'alternates') writeFileSync(join(objects, 'info', 'alternates'), `${theirs}\n`)
    if (way === 'folder') for (const name of readdirSync(theirs).filter((one) => one.length === 2 && !existsSync(join(objects, one)))) symlinkSync(join(theirs, name), join(objects, name))
    if (way === 'pack') for (const name of readdirSync(join(theirs, 'pack'))) symlinkSync(join(theirs, 'pack', name), join(objects, 'pack', name))
    await assert.rejects(compose(hidden), { code: 'git.repository', message: /of its objects are elsewhere/ }, way)
  }
})

test('commits, branches and repositories that are none are refused when it is frozen', async (t) => {
  const { connector, compose, commit: make, work } = opened(t)
  const head = make({ 'a.txt': 'a\n' })
  for (const branch of ['other', '-agent', 'agent/../main', 'agent/x.lock', 'agent//x', 'agent/x/', 'agent/ x', 'agent/x\n', 'refs/heads/main', 'agent/x:main', '+main', 'agent/x~1', 'agent/@{x}']) await assert.rejects(compose(head, branch), Fault, branch)
  for (const id of ['HEAD', head.slice(0, 12), '0'.repeat(40), `--upload-pack=${'x'.repeat(26)}`]) await assert.rejects(compose(id), Fault, id)
  await assert.rejects(composedBy(connector, 'git.push', { branch: 'agent/x', commit: head, force: true }), { kind: 'invalid' })
  const moved = join(work, '..', 'moved')
  renameSync(join(work, '.git'), moved)
  symlinkSync(moved, join(work, '.git'))
  await assert.rejects(compose(head), { code: 'git.repository' })
})

test('by HTTP the login is the releaser’s and stands nowhere else', async (t) => {
  const { server, connector, compose, commit: make, at } = await served(t)
  const head = make({ 'a.txt': 'a\n' })
  const wire = await compose(head)
  const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
  assert.equal(at('agent/typo'), head)
  assert(server.logins.length >= 4 && server.logins.every((one) => one !== undefined))
  for (const text of [wire.toString(), JSON.stringify(receipt), connector.account]) assert(!text.includes(login.password))
  assert.deepEqual(await connector.reconcile!(wire, documentFor(wire), alone), receipt)
})

test('what is refused is not pushed; what broke off is open, and a look at the branch may close it', async (t) => {
  const { server, connector, compose, commit: make, at } = await served(t)
  const wire = await compose(make({ 'a.txt': 'a\n' }))
  const document = documentFor(wire)
  for (const [how, code] of [['refuse', 'connector.not_sent'], ['redirect', 'connector.unknown']] as const) {
    server.misbehave(how)
    const outcome = await failedDelivery(connector, wire)
    assert.deepEqual([outcome.code, outcome.spent, at('agent/typo')], [code, 1, ''], how)
    assert(!outcome.message.includes(login.password))
    assert.equal(await connector.reconcile!(wire, document, alone), undefined)
  }
  server.misbehave('stall')
  const givenUp = new AbortController()
  void server.stalled().then(() => givenUp.abort())
  const stalled = await connector.deliver(wire, document, givenUp.signal, commit).then(() => undefined, (error: Fault) => error)
  assert.equal(stalled?.code, 'connector.unknown')
  server.misbehave('cut')
  const receipt = await connector.deliver(wire, document, signal, commit)
  assert.equal(receipt['commit'], at('agent/typo'))
  assert.deepEqual(await connector.reconcile!(wire, document, alone), receipt)
  const again = await failedDelivery(connector, wire)
  assert.deepEqual([again.code, again.spent], ['connector.not_sent', 0])
})

test('where git repeats a push by itself, on a connection that died, it is one push', async (t) => {
  const { server, connector, compose, commit: make, at } = await served(t)
  const head = make({ 'a.txt': 'a\n' })
  const wire = await compose(head)
  server.misbehave('drop')
  const outcome = await connector.deliver(wire, documentFor(wire), signal, commit).then(() => 'delivered', ({ code }: Fault) => code)
  // whether it repeats is its own decision; that what is said of it is true is ours
  assert.equal(outcome, at('agent/typo') === head ? 'delivered' : 'connector.unknown')
})

test('a remote that refuses by a rule of its own did not take it', async (t) => {
  const { connector, compose, commit: make, git, origin, at } = opened(t)
  const wire = await compose(make({ 'a.txt': 'a\n' }))
  git(origin, 'config', 'receive.hideRefs', 'refs/heads/agent')
  const outcome = await failedDelivery(connector, wire)
  assert.deepEqual([outcome.code, outcome.spent, at('agent/typo')], ['connector.not_sent', 1, ''])
  assert.match(outcome.message, /hidden ref/)
})

test('a name that leads to a private place is refused, and so is a login that is not there', async (t) => {
  const { connector } = await served(t, { isPrivate: false })
  await assert.rejects(composedBy(connector, 'git.push', { branch: 'agent/typo', commit: '0'.repeat(40) }), Fault)
  const bench = await served(t)
  const wire = await bench.compose(bench.commit({ 'a.txt': 'a\n' }))
  const elsewhere = await served(t, { isPrivate: false, remote: JSON.parse(wire.toString()).remote as string })
  await assert.rejects(elsewhere.compose(elsewhere.commit({ 'a.txt': 'a\n' })), { message: /not on the internet/ })
  const without = createGitConnector({
    name: 'site', repository: bench.work, remote: JSON.parse(wire.toString()).remote as string, branches: ['agent/*'], folder: join(temporaryFolder(t), 'git'), isPrivate: true, user: login.user, password: { secret: 'git', value: undefined },
  })
  const outcome = await failedDelivery(without, wire)
  assert.deepEqual([outcome.code, outcome.spent], ['connector.not_sent', 0])
  assert.equal(bench.at('agent/typo'), '')
})

test('a signed push is done once; when its branches were changed meanwhile it is not', async (t) => {
  const { connector, commit: make, work, origin, at } = opened(t)
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  const options = { kind: 'git.push', connector: 'site' }
  const head = make({ 'a.txt': 'a\n' })
  const draft = await outbox.readyToRelease({ branch: 'agent/typo', commit: head }, options)
  assert.equal((await releaseDrafts(outbox.deps)).released, 1)
  assert.deepEqual([at('agent/typo'), (await outbox.draft(draft.id)).state], [head, 'released'])
  const second = await outbox.readyToRelease({ branch: 'agent/typo', commit: make({ 'b.txt': 'b\n' }) }, options)
  const narrower = createGitConnector({ name: 'site', repository: work, remote: origin, branches: ['main'], folder: join(temporaryFolder(t), 'git'), isPrivate: true })
  await releaseDrafts({ ...outbox.deps, connectors: () => createConnectors([narrower], { demonstration: false, accepted: false }) })
  assert.match((await outbox.draft(second.id)).reason!, /leads elsewhere now/)
  assert.equal(at('agent/typo'), head)
})
