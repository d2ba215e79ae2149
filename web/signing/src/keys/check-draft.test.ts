import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { DraftDetail, DraftSummary } from '../releaser/answers.ts'
import { agrees, checkDraft, takesPasskey } from './check-draft.ts'

const wire = Buffer.from('From: h@example.org\r\nContent-Transfer-Encoding: 7bit\r\n\r\nUntil Monday.\r\n')
const hashOf = (...parts: (string | Buffer)[]) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')

function detail(changes: Record<string, unknown> = {}, other: Partial<DraftDetail> = {}): DraftDetail {
  const document = {
    version: 'castellan/1', id: 'one', kind: 'mail', title: 'Monday', from: 'h@example.org', recipients: { to: ['e@example.org'], cc: [], bcc: ['b@example.org'] },
    wire: { sha256: hashOf(wire), length: wire.length }, attachments: [], risk: 3, label: { level: 2, integrity: 'trusted', lanes: [] }, expires_at: '2026-11-20T08:00:00.000Z', ...changes,
  }
  return { ...document, problem: null, document: JSON.stringify(document), wire: wire.toString('base64'), ...other } as unknown as DraftDetail
}

test('what is signed is computed here, from the document that is shown', async () => {
  const check = await checkDraft(detail())
  assert.ok(check.ok)
  assert.equal(check.draft.hash, hashOf('castellan/1', detail().document))
  assert.equal(check.draft.challenge.length, 32)
  assert.equal(check.draft.wire.text, 'Until Monday.\n')
})

test('nothing is offered for signing whose bytes, document or id are others', async () => {
  const problem = async (shown: DraftDetail) => {
    const check = await checkDraft(shown)
    return check.ok ? undefined : check.problem
  }
  const bytes = 'the bytes are not those that the document names'
  assert.equal(await problem(detail({}, { wire: Buffer.from(wire.toString().replace('Monday', 'Sunday')).toString('base64') })), bytes)
  assert.equal(await problem(detail({ wire: { sha256: hashOf(wire), length: wire.length + 1 } })), bytes)
  assert.equal(await problem(detail({}, { id: 'two' })), 'the document is that of another draft')
  assert.equal(await problem(detail({ version: 'castellan/2' })), 'the document is not one that this page can read')
  assert.equal(await problem(detail({}, { document: '{' })), 'the document is not one that this page can read')
  assert.equal(await problem(detail({}, { problem: 'gone' })), 'gone')
})

test('of an act in a mailbox the page shows what its bytes do, and signs for no other kind, mailbox or form of bytes', async () => {
  const move = Buffer.from(JSON.stringify({
    act: 'move', draft: 'one', message: { account: 'personal', folder: 'INBOX', message_id: null, sha256: 'ab', size: 9, uid: 3, uidvalidity: 7 },
    shown: { from: 'news@shop.example', subject: 'Offer' }, to: 'Archive', version: 'castellan-mailbox/1',
  }))
  const shown = (changes: object, bytes = move) => checkDraft(detail({ kind: 'mail.move', from: 'personal', wire: { sha256: hashOf(bytes), length: bytes.length }, ...changes }, { wire: bytes.toString('base64') }))
  const check = await shown({})
  assert.ok(check.ok)
  assert.match(check.draft.wire.text, /^Move this message from INBOX to Archive\.\n\nMailbox: personal/)
  for (const [changes, bytes] of [[{ kind: 'mail.flag' }], [{ kind: 'payment' }], [{ from: 'office' }], [{}, wire]] as const) {
    assert.equal((await shown(changes, bytes)).ok, false, JSON.stringify(changes))
  }
})

test('a row that says something else than the document is not what a batch signs', async () => {
  const check = await checkDraft(detail())
  assert.ok(check.ok)
  const row = detail() as DraftSummary
  assert.equal(agrees(row, check.draft), true)
  for (const lie of [{ title: 'Sunday' }, { risk: 2 }, { recipients: { ...row.recipients, bcc: [] } }, { expires_at: '2026-11-21T08:00:00.000Z' }]) {
    assert.equal(agrees({ ...row, ...lie }, check.draft), false, JSON.stringify(lie))
  }
})

test('high risk and local-only drafts take the passkey, whatever the list says', () => {
  const takes = (risk: number, level: number) => takesPasskey({ risk, label: { level, integrity: 'trusted', lanes: [] } })
  assert.deepEqual([takes(6, 2), takes(7, 0), takes(1, 3)], [false, true, true])
})
