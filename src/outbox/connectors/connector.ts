import type { Zone } from '../../labels/index.ts'
import type { Composed, Frame } from '../compose/composed.ts'
import type { DraftDocument } from '../document.ts'
import type { SentFolder } from './sent-folder.ts'

/** What the outside world answered; names, hashes and numbers, never content. */
export type Receipt = Readonly<Record<string, string | number | boolean>>

/** What the outbox knows of a delivery whose answer it does not have, for those to whom two acts can look the same. */
export interface Trail {
  /** It did not leave earlier. */
  readonly since: Date
  /** What other deliveries for the same account left about that time. */
  readonly receipts: readonly Receipt[]
  /** The bytes of those that may have left something, and nobody knows what. */
  readonly open: readonly Uint8Array[]
}

/** The way of one kind of act to the outside world. It gets the bytes that were signed and changes none of them. */
export interface Connector {
  readonly name: string
  readonly kind: string
  /** On whose behalf, or where to: signed with the draft, so that a changed configuration cannot send it elsewhere. */
  readonly account: string
  /** Where the bytes end up: decides which labels may leave through it at all. */
  readonly zone: Zone
  /** The sender that composed messages show. */
  readonly from: string
  /** Can it carry acts of that kind? */
  accepts(kind: string): boolean
  /**
   * The bytes of an act when it is frozen, where that takes what only the connector knows: where it leads, or what a dry run
   * finds there. It changes nothing outside, and takes a minute at most: no other proposal is frozen meanwhile. @throws Fault with the reason for which the proposal is refused
   */
  compose?(kind: string, payload: unknown, frame: Frame): Promise<Composed>
  /**
   * Carries the bytes out, once. `commit` stands right before the one act that cannot be taken back, whatever that is here: it
   * records that the signature is spent. What it rejects with ends the delivery, and nothing left.
   * @throws Fault `connector.not_sent` when it is certain that nothing left, `connector.try_again` when it is and another try
   * may go better; their `details.brief` may stand in the audit. With `details.mayHaveLeft` it is not certain, but the other side
   * takes a second one for the first. Any other error leaves open whether anything left
   */
  deliver(wire: Uint8Array, document: DraftDocument, signal: AbortSignal, commit: () => Promise<void>): Promise<Receipt>
  /**
   * After it was done: makes it as it was before, as far as that can be, or nothing of it. A second time it finds it done.
   * `receipt` is what the delivery left; empty when nobody knows whether it was done. What another act left is not touched.
   * @throws Fault when it cannot; nothing was changed then
   */
  undo?(wire: Uint8Array, document: DraftDocument, receipt: Receipt, trail: Trail): Promise<Receipt>
  /**
   * Of what was signed and will not be carried out: takes away what a try made ready outside, and leaves alone what was carried out after all. Where `deliver` makes
   * nothing ready that somebody could carry out by hand, there is none. @returns what was taken away; nothing when nothing was there. @throws Fault when nobody answers
   */
  discard?(wire: Uint8Array, signal: AbortSignal): Promise<Receipt | undefined>
  /** Where a copy goes of what it delivered, when one is wanted. */
  readonly sent?: SentFolder
  /** Is anybody there? What the other side says of itself. Sends nothing. @throws Fault when not */
  reach?(signal: AbortSignal): Promise<string>
  /** After a crash: did these bytes leave? Nothing when that cannot be known, or when it may be another act that is found. */
  reconcile?(wire: Uint8Array, document: DraftDocument, trail: Trail): Promise<Receipt | undefined>
  /** Where nobody knows whether they left: what the operator can look at, in words. */
  remains?(wire: Uint8Array): Promise<string | undefined>
}
