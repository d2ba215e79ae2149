import type { DraftDocument } from '../document.ts'

/** What makes the bytes of a draft its own; frozen, so that composing twice gives the same bytes. */
export interface Frame {
  readonly id: string
  readonly nonce: string
  readonly at: Date
  /** The sender that the connector declares. */
  readonly from: string
}

/** An act as bytes, with all that the operator has to see of it and the rules of risk look at. */
export interface Composed {
  readonly wire: Buffer
  readonly from: string
  readonly recipients: DraftDocument['recipients']
  readonly title: string
  readonly text: string
  readonly attachments: DraftDocument['attachments']
  /** The Message-ID of the mail that it answers. */
  readonly answers?: string | undefined
}
