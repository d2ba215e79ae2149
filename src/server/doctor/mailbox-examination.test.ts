import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { plainAccount } from '../../../test/support/mirror.ts'
import type { House } from '../../house/index.ts'
import { createDoctor } from './doctor.ts'
import { mailboxExamination } from './mailbox-examination.ts'

test('the doctor says which folders are mirrored, what is wrong with the others, and which messages were refused', async (t) => {
  const database = await testDatabase(t)
  const look = async (...folders: string[]) => {
    const accounts = folders.length === 0 ? [] : [{ ...plainAccount, port: 143, folders }]
    const house = () => ({ settings: { mail: { accounts } } as unknown as House['settings'] })
    const checks = await createDoctor([mailboxExamination({ database: database.as('castellan_server'), house })]).examine()
    return checks.map(({ status, what }) => `${status}: ${what}`)
  }
  assert.deepEqual(await look(), ['ok: no mailbox on a server is declared'])
  assert.deepEqual(await look('INBOX'), ['ok: 0 of 1 folder(s) are mirrored, with 0 message(s) so far', 'warn: sample INBOX: it is not open yet'])
  await database.owner.pool.query(`insert into mailbox (account, folder, server, state, since, messages, problem, refused) values
    ('sample', 'INBOX', 's', 'watching', now(), 7, null, '[{"uid": "3", "reason": "too large"}]'), ('sample', 'Bills', 's', 'refused', now(), 2, 'wrong password', '[]'),
    ('gone', 'INBOX', 's', 'failing', now(), 0, 'of an account that is not declared any more', '[]')`)
  assert.deepEqual(await look('INBOX', 'Bills'), [
    'ok: 1 of 2 folder(s) are mirrored, with 7 message(s) so far',
    'warn: sample INBOX: 1 message(s) were not taken in, the last of them number 3: too large',
    'fail: sample Bills: wrong password',
  ])
})
