/** A message that was not taken in, or a mailbox that cannot be read, for the operator to see. */
export interface MailboxProblem {
  readonly account: string
  /** The file or the number on the server, or nothing when the mailbox itself cannot be read. */
  readonly uid: string | null
  readonly reason: string
}

export interface MailboxStatus {
  readonly account: string
  readonly kind: 'folder' | 'imap'
  /** The path, or the folder on the server. */
  readonly folder: string
  /** `refused`: only the operator can mend it. */
  readonly state: 'connecting' | 'mirroring' | 'watching' | 'failing' | 'refused'
  /** In this state. */
  readonly since: Date
  /** Taken in since this process started. */
  readonly stored: number
  /** What went wrong last, while it lasts. */
  readonly problem: string | null
}

/** A place that mail comes from: a folder of files, or one folder on a server. */
export interface Mailbox {
  /** Stores what is new. @returns how many messages were stored */
  scan(): Promise<number>
  /** How long until it wants to be scanned without having been woken, in milliseconds. */
  pauseMs(): number
  problems(): readonly MailboxProblem[]
  status(): MailboxStatus
  /** Lets go of what it holds open. */
  close(): Promise<void>
}

/** A message may have so many bytes. */
export const largestMessage = 50 * 1024 * 1024
