import type { Label } from '../../labels/index.ts'

export interface Address {
  readonly name: string
  readonly address: string
}

export interface Attachment {
  readonly name: string
  readonly type: string
  /** Bytes, decoded. */
  readonly size: number
  readonly sha256: string
}

/** What was read in the head of a message. Every field is a stranger's word. */
export interface Envelope {
  readonly from: Address
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  readonly replyTo: readonly Address[]
  readonly subject: string
  /** ISO 8601; null when the message does not say or says nonsense. */
  readonly date: string | null
  readonly messageId: string | null
  readonly inReplyTo: string | null
  readonly references: readonly string[]
  readonly listUnsubscribe: boolean
  readonly autoSubmitted: boolean
  readonly attachments: readonly Attachment[]
  readonly snippet: string
  /** Signs of deception, in words that the operator can read. */
  readonly warnings: readonly string[]
}

export interface ParseError {
  readonly code: string
  readonly message: string
}

export interface Message {
  readonly id: string
  readonly account: string
  readonly folder: string
  readonly receivedAt: Date
  /** Bytes of the raw message. */
  readonly size: number
  readonly envelope: Envelope
  readonly text: string
  readonly parseError?: ParseError
  readonly label: Label
}

/** The mirrored mailbox as one run may see it: rows up to its level, and every row that is returned raises its label. */
export interface Mailbox {
  list(query: { account?: string | undefined; since?: Date | undefined; limit: number }): Promise<readonly Message[]>
  /** Throws a Fault `missing` for a message that is not there or that the run may not read; both look the same. */
  read(id: string): Promise<Message>
  search(query: { query: string; since?: Date | undefined; limit: number }): Promise<readonly Message[]>
}
