import type { TestContext } from 'node:test'
import type { ImapAccount } from '../../src/house/index.ts'
import { createEntrance } from '../../src/imap/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { createImapConnector } from '../../src/outbox/connectors/imap.ts'
import { startDovecot, withoutDovecot, type TestDovecot } from './dovecot.ts'
import { plainAccount, testMirror } from './mirror.ts'
import { testOutbox } from './outbox.ts'

const server = withoutDovecot === false ? startDovecot() : undefined
let users = 0

export const mailFrom = (from: string, subject: string) => `From: ${from}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.org>\r\n\r\ntext\r\n`

/** A mailbox on a real server, of a user of its own, that is mirrored and read, with an outbox whose connector works in it. */
export async function mailboxOutbox(t: TestContext) {
  const dovecot: TestDovecot = (await server)!
  const me = dovecot.addUser(`user${++users}`)
  const account: ImapAccount = { ...plainAccount, port: dovecot.port, user: me.user }
  const connector = createImapConnector({ name: 'mailbox', kind: 'imap', account }, createEntrance(systemClock, account, me.password))
  const opened: { close(): Promise<void> }[] = []
  t.after(() => opened[0]?.close()) // before the database goes
  const outbox = await testOutbox(t, { connectors: () => [connector] })
  const mirror = await testMirror(t, { account, password: me.password, database: outbox.database })
  opened.push(mirror)
  return {
    outbox, connector, account, password: me.password,
    append: (folder: string, raw: string) => dovecot.append(folder, raw, [], me),
    expunge: (folder: string, uid: number) => dovecot.expunge(folder, [uid], me),
    recreate: (folder: string) => dovecot.recreate(folder, me),
    list: (folder: string) => dovecot.list(folder, me),
    /** The ids of what is mirrored, in the order of the mailbox; as a worker has read it. */
    async mirrored(): Promise<string[]> {
      await mirror.mailbox.scan()
      await outbox.database.owner.pool.query(`update mail_message m set
        message_id = substring(convert_from(c.body, 'UTF8') from 'Message-ID: (\\S+)'), parsed_at = now(),
        envelope = jsonb_build_object('subject', substring(convert_from(c.body, 'UTF8') from 'Subject: (\\S+)'),
          'from', jsonb_build_object('name', 'Eva', 'address', substring(convert_from(c.body, 'UTF8') from 'From: (\\S+)')))
        from content c where c.hash = m.raw_hash`)
      return (await mirror.stored()).map(({ id }) => id)
    },
    move: (message: string, to: string) => outbox.readyToRelease({ message, to }, { kind: 'mail.move', connector: 'mailbox' }),
    async receipt(id: string) {
      const { rows } = await outbox.database.owner.pool.query('select state, receipt from delivery where draft_id = $1', [id])
      return rows[0]
    },
  }
}
