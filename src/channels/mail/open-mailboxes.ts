import type { MailAccount } from '../../house/index.ts'
import type { Entrance } from '../../imap/index.ts'
import { createFolderMailbox } from './folder-mailbox.ts'
import { createImapMailbox, type ImapMailboxDeps } from './imap-mailbox.ts'
import type { Mailbox } from './mailbox.ts'
import { createRefusedMailbox } from './refused-mailbox.ts'

export interface OpenMailboxes extends ImapMailboxDeps {
  /** Why no password may be used now, or nothing. */
  readonly refusal: string | undefined
  entranceOf(account: Extract<MailAccount, { kind: 'imap' }>): Entrance
}

/** The mailboxes of an account: one for a folder of files, one for each folder that is mirrored from a server. */
export function openMailboxes(deps: OpenMailboxes, account: MailAccount): Mailbox[] {
  if (account.kind === 'folder') return [createFolderMailbox(deps, account)]
  const { refusal } = deps
  if (refusal !== undefined) return account.folders.map((folder) => createRefusedMailbox(deps, account, folder, `the mail account ${account.name} (imap) ${refusal}`))
  const entrance = deps.entranceOf(account)
  return account.folders.map((folder) => createImapMailbox(deps, entrance, folder))
}
