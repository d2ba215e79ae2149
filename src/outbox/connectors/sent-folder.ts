import type { Entrance } from '../../imap/index.ts'
import { imapFault } from '../../imap/index.ts'
import { Fault } from '../../kernel/fault.ts'
import { messageIdOf } from './smtp-envelope.ts'

/** Where copies of what was sent are filed. */
export interface SentFolder {
  /** Whose mailbox, and which folder: it is signed with the draft, for a copy leaves the machine as well. */
  readonly place: string
  /**
   * Files the very bytes that were sent, as read; unless a message of that name is there, for some servers file what passes them.
   * @throws Fault
   */
  file(wire: Buffer): Promise<'filed' | 'present'>
}

const limits = { literal: 1024 * 1024, silenceMs: 60_000 }

/** A folder of a mailbox on a server. Nothing in it is changed, and it is not made where it is not there. */
export function createSentFolder(entrance: Entrance, folder: string): SentFolder {
  const { user, host } = entrance.account
  return {
    place: `${folder} of ${user} at ${host}`,
    async file(wire) {
      const messageId = messageIdOf(wire)
      if (messageId === undefined) throw new Fault('invalid', 'sent_copy.name', 'the message has no Message-ID by which a copy could be found again')
      const client = await entrance.enter(limits)
      try {
        await client.mailboxOpen(folder, { readOnly: true })
        const found = await client.search({ header: { 'message-id': messageId } }, { uid: true })
        if (found && found.length > 0) return 'present'
        // from within a folder that is open for reading only, no flag is set
        await client.mailboxClose()
        if (!(await client.append(folder, wire, ['\\Seen']))) throw new Fault('unavailable', 'sent_copy.refused', `the server did not take the copy into ${folder}`)
        return 'filed'
      } catch (error) {
        const fault = imapFault(entrance.account, error)
        if (fault.code === 'imap.folder') throw new Fault('missing', 'sent_copy.folder', `the mail account ${entrance.account.name} has no folder ${folder}: write its name as the server does`, {}, error)
        throw fault
      } finally {
        client.close()
      }
    },
  }
}
