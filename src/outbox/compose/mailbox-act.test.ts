import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame, MirroredMessage } from './composed.ts'
import { composeFlag, composeMove, readMailboxAct } from './mailbox-act.ts'

const id = '019514a0-0000-7000-8000-000000000001'
const mirrored: MirroredMessage = {
  account: 'personal', folder: 'INBOX', uid: '1795638788/12', sha256: 'ab'.repeat(32), size: 4_000, messageId: '<1@shop.example>', from: 'news@shop.example', subject: 'Rechnung\r\n\u202eX',
  label: { level: 3, integrity: 'untrusted', lanes: ['private'] },
}
const frame: Frame = { id, nonce: 'ab'.repeat(32), at: new Date('2026-03-02T09:00:00Z'), from: 'personal', messageOf: async () => mirrored }

test('a move names the message as the releaser knows it, whatever a worker says, and nothing that shows as something else', async () => {
  const { wire, title, label, recipients, undo } = await composeMove({ message: id, to: 'Archive' }, frame)
  assert.deepEqual(readMailboxAct(wire), {
    version: 'castellan-mailbox/1', draft: id, act: 'move', to: 'Archive', shown: { from: 'news@shop.example', subject: 'Rechnung X' },
    message: { account: 'personal', folder: 'INBOX', uidvalidity: 1_795_638_788, uid: 12, message_id: '<1@shop.example>', sha256: mirrored.sha256, size: 4_000 },
  })
  assert.deepEqual([title, undo, label, recipients], ['Move to Archive: Rechnung X', 'Afterwards: move it back from Archive to INBOX; `castellan draft undo` does.', mirrored.label, { to: [], cc: [], bcc: [] }])
  assert.deepEqual((await composeMove({ message: id, to: 'Archive' }, frame)).wire, wire)
  for (const extra of [{ folder: 'Other' }, { uid: 7 }, { subject: 'harmless' }]) {
    await assert.rejects(composeMove({ message: id, to: 'Archive', ...extra }, frame), { code: 'mailbox.payload' })
  }
})

test('flags are said in the words of the protocol, sorted and once; none deletes, and no other can be made up', async () => {
  const { wire, title } = await composeFlag({ message: id, add: ['seen', 'Later', 'seen'], remove: ['flagged'] }, frame)
  const act = readMailboxAct(wire)
  assert.deepEqual(act.act === 'flag' && [act.add, act.remove], [['Later', '\\Seen'], ['\\Flagged']])
  assert.equal(title, 'Set Later, \\Seen, take away \\Flagged: Rechnung X')
  for (const flag of ['\\Deleted', '\\Draft', 'a b', 'a)', '', 'x'.repeat(51), 'ü', '*']) {
    await assert.rejects(composeFlag({ message: id, add: [flag] }, frame), { code: 'mailbox.payload' }, flag)
  }
})

test('bytes that are not exactly what Castellan writes are refused', async () => {
  const { wire } = await composeMove({ message: id, to: 'Archive' }, frame)
  const text = wire.toString()
  for (const other of [`${text} `, text.replace('{', '{ '), text.replace('"act":"move"', '"act":"expunge"'), text.replace('{', '{"also":1,'), text.replace('"uid":12', '"uid":12.5'), '', '[]', 'From: x']) {
    assert.throws(() => readMailboxAct(Buffer.from(other)), { code: 'mailbox.wire' }, other)
  }
})
