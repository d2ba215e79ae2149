import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sampleDraft, sampleMove, stubHouse, type SampleMail, type StubRoutes } from '../../../test/support/cli.ts'
import { createIdentity } from '../../outbox/index.ts'

const holdUntil = new Date(Date.now() + 10_000).toISOString()

async function house(t: TestContext, mail: SampleMail = {}, change: (draft: Awaited<ReturnType<typeof sampleDraft>>) => object = (draft) => draft) {
  const draft = await sampleDraft(mail)
  const shown = { ...draft, ...change(draft) }
  const routes: StubRoutes = {
    'GET /drafts': { data: [shown] },
    [`GET /drafts/${draft.id}`]: { data: shown },
    [`POST /drafts/${draft.id}/decide`]: { data: { outcome: 'decided', state: 'held', holdUntil } },
  }
  const stub = await stubHouse(t, { releaser: routes })
  const decisions = () => stub.asked.filter(({ route }) => route.endsWith('/decide')).map(({ body }) => body as { verdict: string; keyId: string; signature: string })
  const withKey = (scope: 'operator' | 'demonstration', passphrase?: string, name: string = scope) => createIdentity(join(stub.home, 'operator'), { name, scope, passphrase })
  return { ...stub, draft, routes, decisions, withKey }
}

test('what is signed is the document that was shown: SHA-256("castellan/1" and its canonical text), by the operator\'s key', async (t) => {
  const { run, draft, decisions, withKey } = await house(t)
  const key = await withKey('demonstration')
  const { exit, json } = await run(['draft', 'approve', draft.id.slice(-8), '--yes', '--json'])
  assert.equal(exit, 0)
  const [decision] = decisions()
  const challenge = createHash('sha256').update(`castellan/1${draft.document}`).digest()
  const publicKey = createPublicKey({ key: Buffer.from(key.publicKey, 'base64'), format: 'der', type: 'spki' })
  assert.equal(verify(null, challenge, publicKey, Buffer.from(decision!.signature, 'base64')), true)
  assert.deepEqual([decision!.verdict, decision!.keyId], ['approve', key.id])
  assert.deepEqual([json().data.state, json().data.hold_until, json().data.challenge], ['held', holdUntil, challenge.toString('hex')])
})

const tampered: Record<string, (draft: Awaited<ReturnType<typeof sampleDraft>>) => Promise<object> | object> = {
  'other bytes': (draft) => ({ wire: Buffer.from(`${Buffer.from(draft.wire, 'base64')}x`).toString('base64') }),
  'the document of another draft': async () => ({ document: (await sampleDraft()).document }),
  'a document that is not canonical': (draft) => ({ document: draft.document.replace('{', '{ ') }),
  'a document with a field of its own': (draft) => ({ document: draft.document.replace('{', '{"also":1,') }),
}
for (const [what, change] of Object.entries(tampered)) {
  test(`${what}: nothing is signed, exit 4`, async (t) => {
    const draft = await sampleDraft()
    const shown = { ...draft, ...(await change(draft)) }
    const stub = await stubHouse(t, { releaser: { [`GET /drafts/${draft.id}`]: { data: shown } } })
    await createIdentity(join(stub.home, 'operator'), { name: 'demonstration', scope: 'demonstration' })
    const { exit, json } = await stub.run(['draft', 'approve', draft.id, '--yes', '--json'])
    assert.deepEqual([exit, json().ok], [4, false])
    assert.match(json().error.code, /^draft\.(mismatch|document)$/)
    assert.deepEqual(stub.asked.map(({ route }) => route), [`GET /drafts/${draft.id}`])
  })
}

test('a draft whose time was over cannot be shown, and its record is pointed to', async (t) => {
  const { run, draft } = await house(t, {}, () => ({ state: 'released', document: '', wire: '', title: null }))
  const { json } = await run(['draft', 'show', draft.id, '--json'])
  assert.equal(json().error.code, 'draft.swept')
  assert.match(json().error.message, new RegExp(`castellan audit show ${draft.id}`))
})

test('bytes that say something else than the document are refused, though their hash is right', async (t) => {
  const said = await sampleDraft({ to: ['Eva <eva@example.org>'] })
  const changes: SampleMail[] = [{ to: ['eve@evil.example'] }, { subject: 'Other' }, { attachments: [{ name: 'a.pdf', type: 'application/pdf', content: 'QUJD' }] }]
  for (const change of changes) {
    const meant = await sampleDraft(change)
    const wire = Buffer.from(meant.wire, 'base64')
    const document = JSON.parse(said.document) as { wire: object }
    document.wire = { length: wire.length, sha256: createHash('sha256').update(wire).digest('hex') }
    const { default: canonicalize } = await import('canonicalize')
    const shown = { ...said, wire: meant.wire, document: canonicalize(document) }
    const stub = await stubHouse(t, { releaser: { [`GET /drafts/${said.id}`]: { data: shown } } })
    const { exit, json } = await stub.run(['draft', 'show', said.id, '--json'])
    assert.deepEqual([exit, json().error.code], [4, 'draft.mismatch'], JSON.stringify(change))
  }
})

test('a message that is to be moved is shown in words that are made of the bytes; bytes that say something else are refused', async (t) => {
  const show = async (changes: Parameters<typeof sampleMove>[0]) => {
    const shown = await sampleMove(changes)
    const stub = await stubHouse(t, { releaser: { [`GET /drafts/${shown.id}`]: { data: shown } } })
    return stub.run(['draft', 'show', shown.id, '--json'])
  }
  const { json } = await show({})
  assert.match(String(json().data.text), /^Move this message from INBOX to Archive\.\n\nMailbox: personal, folder INBOX\nFrom: news@shop\.example\nSubject: Offer \[2J\nMessage-ID: <1@shop\.example>\n/)
  for (const changes of [{ folder: 'Trash' }, { draft: '019514a0-0000-7000-8000-000000000001' }]) {
    const refused = await show(changes)
    assert.deepEqual([refused.exit, refused.json().error.code], [4, 'draft.mismatch'])
  }
})

test('a move whose approval was taken back is shown again: its bytes name the draft that they were frozen for', async (t) => {
  const first = '019514a0-0000-7000-8000-000000000001'
  const shown = await sampleMove({ draft: first, replaces: first })
  const { run } = await stubHouse(t, { releaser: { [`GET /drafts/${shown.id}`]: { data: shown } } })
  const { exit, json } = await run(['draft', 'show', shown.id, '--json'])
  assert.equal(exit, 0)
  assert.match(String(json().data.text), /^Move this message from INBOX to Archive\./)
})

test('without a terminal and without --yes nothing is signed; --dry-run and --no-input sign nothing either', async (t) => {
  const { run, draft, decisions, withKey } = await house(t)
  await withKey('demonstration')
  assert.equal((await run(['draft', 'approve', draft.id])).exit, 2)
  assert.equal((await run(['draft', 'approve', draft.id, '--no-input'])).exit, 2)
  const dry = await run(['draft', 'approve', draft.id, '--yes', '--dry-run', '--json'])
  assert.deepEqual([dry.exit, dry.json().data.state], [0, 'dry_run'])
  assert.deepEqual(decisions(), [])
})

test('the demonstration key signs for files only, and a key of the operator goes before it', async (t) => {
  const { run, draft, decisions, withKey } = await house(t, { connector: { name: 'post', kind: 'smtp' } })
  await withKey('demonstration')
  const refused = await run(['draft', 'approve', draft.id, '--yes', '--json'])
  assert.deepEqual([refused.exit, refused.json().error.code], [4, 'key.demonstration'])
  const own = await withKey('operator', 'correct horse')
  const passphrase = openSync(writeSecret(t, 'correct horse\n'), 'r')
  const signed = await run(['draft', 'approve', draft.id, '--yes', '--json', '--passphrase-fd', String(passphrase)])
  closeSync(passphrase)
  assert.equal(signed.exit, 0, signed.stdout)
  assert.deepEqual(decisions().map(({ keyId }) => keyId), [own.id])
})

test('a wrong passphrase signs nothing, exit 4; two keys want to be told apart, exit 2', async (t) => {
  const { run, asked, draft, decisions, withKey } = await house(t)
  await withKey('operator', 'correct horse', 'one')
  const wrong = openSync(writeSecret(t, 'battery staple'), 'r')
  const refused = await run(['draft', 'approve', draft.id, '--yes', '--json', '--passphrase-fd', String(wrong)])
  closeSync(wrong)
  assert.deepEqual([refused.exit, refused.json().error.code], [4, 'identity.passphrase'])
  assert.ok(asked.some(({ route }) => route === 'POST /operator/wrong-passphrase'), 'it is counted with the other sign-ins that fail, and a releaser that does not know it keeps nobody')
  await withKey('operator', 'correct horse', 'two')
  const which = await run(['draft', 'approve', draft.id, '--yes', '--json'])
  assert.deepEqual([which.exit, which.json().error.code], [2, 'key.which'])
  assert.deepEqual(decisions(), [])
})

test('a draft that was decided meanwhile is a conflict, whoever notices', async (t) => {
  const first = await house(t, {}, () => ({ state: 'denied' }))
  assert.equal((await first.run(['draft', 'approve', first.draft.id, '--yes'])).exit, 6)
  const second = await house(t)
  await second.withKey('demonstration')
  second.routes[`POST /drafts/${second.draft.id}/decide`] = { status: 409, code: 'draft.too_late' }
  const late = await second.run(['draft', 'approve', second.draft.id, '--yes', '--json'])
  assert.deepEqual([late.exit, late.json().error.code], [6, 'draft.too_late'])
})

test('--wait ends with the release and its receipt, or with exit 1 and why not', async (t) => {
  for (const [state, exit] of [['released', 0], ['failed', 1]] as const) {
    const { run, draft, routes, withKey } = await house(t)
    await withKey('demonstration')
    let asked = 0
    routes[`GET /drafts/${draft.id}`] = () => {
      const closed = ++asked > 2
      return { data: { ...draft, state: asked === 1 ? 'waiting' : closed ? state : 'held', reason: closed && state === 'failed' ? 'disk full' : null, history: [{ at: holdUntil, draft: draft.id, event: state, receipt: { file: 'x.eml' } }] } }
    }
    const ran = await run(['draft', 'approve', draft.id, '--yes', '--wait', '--json'])
    assert.deepEqual([ran.exit, ran.json().data.state, ran.json().data.receipt], [exit, state, { file: 'x.eml' }])
  }
})

test('the page shows every recipient, BCC too, the text, links in full, hashes of attachments, and nothing that a terminal obeys', async (t) => {
  const { run, draft } = await house(t, {
    to: ['Eva <eva@example.org>', 'adam@example.org'], bcc: ['hidden@example.org'], subject: 'Angebot', risk: 8,
    text: 'Siehe https://example.org/a?b=c&d=e\nund https://bank.example@evil.example/\n',
    attachments: [{ name: 'angebot.pdf', type: 'application/pdf', content: 'QUJD' }],
  }, ({ history }) => ({ history: [...history, { ...history[0], event: 'undone', reason: '\u202Ereversed\u001b[2J' }] }))
  const { stdout } = await run(['draft', 'show', draft.id])
  const expected = [
    'eva@example.org', 'adam@example.org', 'hidden@example.org', 'Angebot', 'https://example.org/a?b=c&d=e', 'leads to evil.example',
    'angebot.pdf', createHash('sha256').update('ABC').digest('hex'), 'P2 internal, untrusted, lane private', '8/10', '+2 an act of kind mail',
    'Until 10s after the approval', 'expires in', 'job morning-mail', '\\u{202E}reversed\\u{1B}[2J',
  ]
  for (const text of expected) assert.ok(stdout.includes(text), `${text} is not in\n${stdout}`)
  assert.doesNotMatch(stdout, /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E]/)
})

function writeSecret(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-secret-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'passphrase'), text, { mode: 0o600 })
  return join(folder, 'passphrase')
}
