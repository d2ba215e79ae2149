import type { ImapLimits } from '../../imap/index.ts'
import { largestMessage } from './mailbox.ts'

/** What the mirror of one folder holds in memory and waits for, at most. Tests use smaller ones. */
export interface MirrorLimits extends ImapLimits {
  /** Bytes that are asked for at once; a larger message comes in pieces of this size. */
  readonly piece: number
  /** Bytes of bodies that are held before they are stored. */
  readonly held: number
  /** Messages that are asked for at once. */
  readonly batch: number
  /** A message with more bytes is refused. */
  readonly message: number
  /** Numbers that are looked through at once for messages. */
  readonly window: number
}

const piece = 1024 * 1024

export const mirrorLimits: MirrorLimits = {
  piece,
  held: 2 * 1024 * 1024,
  batch: 200,
  message: largestMessage,
  window: 2_000,
  literal: piece + 64 * 1024,
  silenceMs: 2 * 60_000,
}
