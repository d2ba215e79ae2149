export { createFolderMailbox, type FolderMailbox, type MailboxProblem } from './mail/folder-mailbox.ts'
