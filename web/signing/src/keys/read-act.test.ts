import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeFlag, composeMove, readMailboxAct, textOfMailboxAct } from '../../../../src/outbox/compose/mailbox-act.ts'
import { readAct } from './read-act.ts'

const id = '019514a0-0000-7000-8000-000000000001'
const frame = (messageId: string | null) => ({
  id, nonce: 'ab'.repeat(32), at: new Date(), from: 'personal',
  messageOf: async () => ({
    account: 'personal', folder: 'INBOX', uid: '1795638788/12', sha256: 'ab'.repeat(32), size: 4_000, messageId, from: 'news@shop.example', subject: 'Rechnung für März',
    label: { level: 2, integrity: 'untrusted', lanes: [] } as const,
  }),
})

test('an act in a mailbox is told in the words of the releaser, made here of the bytes alone', async () => {
  const acts = [
    await composeMove({ message: id, to: 'Archive' }, frame('<1@shop.example>')),
    await composeFlag({ message: id, add: ['seen', 'Later'], remove: ['flagged'] }, frame(null)),
    await composeFlag({ message: id, remove: ['seen'] }, frame(null)),
  ]
  for (const { wire } of acts) assert.deepEqual(readAct(new Uint8Array(wire)), { act: readMailboxAct(wire).act, account: 'personal', text: textOfMailboxAct(readMailboxAct(wire)) })
})

test('bytes that say more or less than such an act are none', async () => {
  const { wire } = await composeMove({ message: id, to: 'Archive' }, frame('<1@shop.example>'))
  const text = wire.toString()
  for (const other of [
    text.replace('/1"', '/2"'), text.replace('"move"', '"delete"'), text.replace('"to":', '"also":"x","to":'), text.replace('"uid":12', '"uid":"12"'), text.replace('"size":', '"sizes":'),
    text.replace('"act":"move"', '"act":"flag"'), ` ${text}`, text.replace('{', '{"act":"flag",'), text.slice(0, -1), '{}', '{"act":',
  ]) {
    assert.notEqual(other, text)
    assert.equal(readAct(new Uint8Array(Buffer.from(other))), undefined, other)
  }
})
