import type { Label } from '../../labels/index.ts'
import type { DraftDocument } from '../document.ts'

/** What makes the bytes of a draft its own; frozen, so that composing twice gives the same bytes. */
export interface Frame {
  readonly id: string
  readonly nonce: string
  readonly at: Date
  /** The sender that the connector declares. */
  readonly from: string
  /** A message of the mirror, for acts that are about one. */
  messageOf?(id: string): Promise<MirroredMessage | undefined>
}

/** A message as the mirror knows it. */
export interface MirroredMessage {
  readonly account: string
  readonly folder: string
  /** UIDVALIDITY/UID when it is on a mail server. */
  readonly uid: string
  readonly sha256: string
  /** Bytes. */
  readonly size: number
  /** These three are a stranger's words, as a worker read them. */
  readonly messageId: string | null
  readonly from: string
  readonly subject: string
  readonly label: Label
}

/** What is risky about an act, said by who composed it: points, or the least risk that follows. */
export type Finding = { readonly add: number; readonly why: string } | { readonly atLeast: number; readonly why: string }

/** An act as bytes, with all that the operator has to see of it and the rules of risk look at. */
export interface Composed {
  readonly wire: Buffer
  readonly from: string
  readonly recipients: DraftDocument['recipients']
  readonly title: string
  readonly text: string
  readonly attachments: DraftDocument['attachments']
  /** What undoes it after it was done, where the kind of act alone does not say. */
  readonly undo?: string
  /** Of what stands in it besides the proposal. */
  readonly label?: Label
  readonly findings?: readonly Finding[]
  /** The Message-ID of the mail that it answers. */
  readonly answers?: string | undefined
}
