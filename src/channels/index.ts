export { openMailboxes } from './mail/open-mailboxes.ts'
export type { Mailbox, MailboxProblem, MailboxStatus } from './mail/mailbox.ts'
