import assert from 'node:assert/strict'
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sampleDraft, stubHouse, type StubRoutes } from '../../../test/support/cli.ts'
import { openRecords, openSecretFolder } from '../../secrets/index.ts'

// put together here, so that this file is no finding itself
const token = ['ghp', '_', 'a8Bd2kLmQ0zXw7RtYv5NcJh3Pf6SgUe1Iro9'].join('')
const own = 'the-bank-of-the-river-77'
const yaml = `secrets:
  hook: { from: made }
  token: { from: op, reference: "op://Home/Shop/credential" }
webhooks: { hub: { kind: github, secrets: [ { secret: hook } ] }, forge: { kind: github, secrets: [ { secret: forge } ] } }
`

async function house(t: TestContext, routes?: { server?: StubRoutes; releaser?: StubRoutes }) {
  const stub = await stubHouse(t, routes)
  mkdirSync(join(stub.home, 'house'))
  writeFileSync(join(stub.home, 'house', 'castellan.yaml'), yaml)
  const folder = openSecretFolder(stub.home)
  return { ...stub, folder, run: (argv: string[], now?: Date) => stub.run(['secrets', ...argv], { env: { PATH: '/usr/bin:/bin' }, ...(now && { now }) }) }
}

const acts: StubRoutes = {
  'POST /api/secrets/acts': ({ body }) => ({ data: { state: 'recorded', ids: (body as { acts: { id: string }[] }).acts.map(({ id }) => id) } }),
  'POST /api/secrets/take': { data: { state: 'taken', restarted: ['server'], pending: [], needs_start: false } },
}

test('what can be rendered is, what cannot is said with what to do, and the house is told the names', async (t) => {
  const { run, asked, folder } = await house(t, { server: acts })
  const { exit, json } = await run(['render', '--json'])
  assert.deepEqual([exit, json().ok, json().error.code], [7, false, 'secrets.unrendered'])
  const { secrets } = json<{ secrets: { name: string; state: string; problem?: { message: string } }[] }>().data
  assert.deepEqual(secrets.map(({ name, state }) => [name, state]), [['hook', 'rendered'], ['token', 'failed']])
  assert.match(secrets[1]!.problem!.message, /op is not installed/)
  assert.deepEqual(asked.map(({ route }) => route), ['POST /api/secrets/acts', 'POST /api/secrets/take'])
  assert.deepEqual(asked[1]!.body, { names: ['hook'] })
  assert.ok(!JSON.stringify(asked).includes(folder.read('hook')!))
  const again = await run(['render', 'hook'])
  assert.deepEqual([again.exit, asked.length], [0, 2], 'what did not change is told to nobody')
  assert.match((await run(['render', 'nope'])).stderr, /does not say where nope comes from; write it under `secrets`/)
})

test('without a house that runs it is noted for the audit, and a dry run leaves nothing behind', async (t) => {
  const { run, folder } = await house(t)
  assert.equal((await run(['render', 'hook', '--dry-run'])).exit, 0)
  assert.equal(folder.read('hook'), undefined)
  const { stdout } = await run(['render', 'hook'])
  assert.match(stdout, /Castellan is not running; it takes them when it starts/)
  assert.deepEqual(openRecords(folder).unrecorded().map(({ act, name }) => [act, name]), [['render', 'hook']])
})

test('the status names each secret, from where, since when, for whom, and what to type; it opens none', async (t) => {
  const { run, folder } = await house(t)
  folder.write('hook', own)
  folder.write('left', 'over')
  folder.write('sealing_key', 'a key')
  folder.write('forge', 'by hand')
  openRecords(folder).change('hook', { changedAt: '2026-01-01T00:00:00.000Z', renderedAt: '2026-01-01T00:00:00.000Z' })
  chmodSync(join(folder.path, 'forge'), 0o644)
  const { json } = await run(['status', '--json'], new Date('2026-11-28T08:00:00Z'))
  const rows = json<{ name: string; state: string; from: string; used_by: string[]; due_at: string | null; mend: string | null }[]>().data
  assert.deepEqual(rows.map(({ name, state, from, used_by, mend }) => [name, state, from, used_by, mend]), [
    ['forge', 'exposed', 'hand', ['server'], `chmod 600 ${folder.path}/forge`], ['hook', 'due', 'made', ['server'], 'castellan secrets rotate hook'],
    ['left', 'unused', 'hand', [], `rm ${folder.path}/left`], ['sealing_key', 'good', 'hand', ['releaser'], null], ['token', 'missing', 'op', [], 'castellan secrets render token'],
  ])
  assert.deepEqual([rows[1]!.due_at, rows[3]!.due_at], ['2026-04-01T00:00:00.000Z', null])
  const text = await run(['status'])
  assert.match(text.stdout, /STATE +NAME +FROM +AGE/)
  assert.doesNotMatch(text.stdout, /river|by-hand-value/)
})

test('a secret that was put there by hand is rotated by a descriptor, taken back, and refused without a terminal or --yes', async (t) => {
  const { home, run, folder } = await house(t, { server: acts })
  folder.write('forge', own)
  writeFileSync(join(home, 'value'), 'the next one\n', { mode: 0o600 })
  const descriptor = openSync(join(home, 'value'), 'r')
  t.after(() => closeSync(descriptor))
  const rotated = await run(['rotate', 'forge', '--value-fd', String(descriptor), '--json'])
  assert.deepEqual([rotated.exit, rotated.json().data.state, folder.read('forge')], [0, 'rotated', 'the next one'])
  assert.doesNotMatch(rotated.stdout, /next one/)
  assert.equal((await run(['rotate', 'forge', '--undo'])).exit, 2)
  const undone = await run(['rotate', 'forge', '--undo', '--yes'])
  assert.deepEqual([undone.exit, folder.read('forge')], [0, own])
  assert.match(undone.stdout, /forge has the value before again\.\n.*--undo takes it back.*\nStarted anew: server\./)
  assert.deepEqual([(await run(['rotate', 'forge', '--json'])).json().error.code, (await run(['rotate', 'nope', '--yes', '--json'])).json().error.code], ['ask.nobody', 'secrets.missing'])
  assert.match((await run(['rotate', 'forge'])).stderr, /pass it with --value-fd N/)
})

test('a scan of the house, its logs and its drafts says where and never what, ends with 1, and leaves accepted findings out', async (t) => {
  const draft = await sampleDraft({ text: `Liebe Eva,\n\nder Schlüssel ist ${own}\n` })
  const { home, run, folder } = await house(t, { releaser: { 'GET /drafts': { data: [draft] }, [`GET /drafts/${draft.id}`]: { data: draft } } })
  folder.write('river', own)
  mkdirSync(join(home, 'log'))
  writeFileSync(join(home, 'log', 'server.log'), `fine\n{"msg":"asked with ${own}"}\n`)
  writeFileSync(join(home, 'log', 'key.pem'), token)
  writeFileSync(join(home, 'house', 'notes.md'), `${token}\n`)
  const { exit, json, stdout } = await run(['scan', '--json'])
  interface Found { leaks: { where: string; file: string; line: number; kind: string; id: string | null }[] }
  const { leaks } = json<Found>().data
  assert.deepEqual([exit, json().error.code], [1, 'secrets.found'])
  assert.deepEqual(leaks.filter(({ where }) => where !== 'draft').map(({ where, file, line, kind }) => [where, file.slice(home.length + 1), line, kind]), [
    ['house', 'house/notes.md', 1, 'GitHub token'], ['logs', 'log/server.log', 2, 'secret river, as it is'],
  ])
  assert.ok(leaks.some(({ where, file }) => where === 'draft' && file === `draft ${draft.id} (P2 internal)`))
  assert.doesNotMatch(stdout, /river-77|a8Bd2k/)
  const id = leaks[0]!.id!
  assert.equal((await run(['scan', '--accept', id.slice(0, 12), '--dry-run'])).exit, 0)
  assert.equal(existsSync(join(home, 'house', 'accepted-findings.json')), false)
  assert.match((await run(['scan', '--accept', id.slice(0, 12)])).stdout, /Accepted 1 finding/)
  const after = (await run(['scan', '--json'])).json<Found & { accepted: number }>().data
  assert.deepEqual([after.accepted, after.leaks.some(({ kind }) => kind === 'GitHub token')], [1, false])
  assert.equal((await run(['scan', '--accept', 'abcdef123456', '--json'])).json().error.code, 'secrets.finding_missing')
})

test('without findings the scan ends with 0, says that drafts were not looked at, and one that could not look everywhere is no clean one', async (t) => {
  const { home, run } = await house(t)
  const clean = await run(['scan'])
  assert.deepEqual([clean.exit, /0 findings/.test(clean.stdout)], [0, true])
  assert.match(clean.stderr, /Drafts were not looked at: Castellan is not running/)
  const missing = await run(['scan', join(home, 'nowhere'), '--json'])
  assert.deepEqual([missing.exit, missing.json().error.code], [7, 'secrets.unread'])
  const file = join(home, 'one.txt')
  writeFileSync(file, token)
  assert.deepEqual([(await run(['scan', file])).exit, readFileSync(file, 'utf8')], [1, token])
})
