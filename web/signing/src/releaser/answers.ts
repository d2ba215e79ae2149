/** What the releaser answers, as it travels: JSON, times as ISO 8601 in UTC. */
export type DraftState = 'waiting' | 'signed' | 'held' | 'releasing' | 'released' | 'failed' | 'unknown' | 'denied' | 'expired' | 'undone' | 'replaced'

export interface House {
  readonly house: string
  /** At least one passkey is enrolled that was not revoked. */
  readonly enrolled: boolean
  /** Other names that passkeys were enrolled for, which do not work here. */
  readonly enrolled_for?: readonly string[]
  readonly sign_origin: string
  readonly rp_id: string
  readonly now: string
}

export interface Recipients {
  readonly to: readonly string[]
  readonly cc: readonly string[]
  readonly bcc: readonly string[]
}

export interface Attachment {
  readonly name: string
  readonly type: string
  readonly sha256: string
  readonly length: number
}

export interface DraftSummary {
  readonly id: string
  readonly state: DraftState
  readonly reason: string | null
  readonly kind: string
  readonly connector: string
  readonly account: string
  readonly title: string | null
  readonly from: string | null
  readonly recipients: Recipients
  readonly attachments: readonly Attachment[]
  readonly risk: number
  readonly high_risk: boolean
  readonly reasons: readonly string[]
  readonly label: { readonly level: number; readonly word: string; readonly text: string; readonly integrity: string; readonly lanes: readonly string[] }
  readonly replaces: string | null
  readonly frozen_at: string
  readonly expires_at: string
  /** It does not leave earlier; null: right after its hold. */
  readonly not_before: string | null
  readonly hold_until: string | null
  readonly closed_at: string | null
  readonly snoozed_until: string | null
  /** Risk and label allow the session key; otherwise it takes the passkey each time. */
  readonly session_may_sign: boolean
  /** Why it cannot be approved at all. */
  readonly problem: string | null
}

export interface HistoryLine {
  readonly at: string
  readonly draft: string
  readonly event: string
  readonly by?: string | null
  readonly reason?: string | null
  readonly receipt?: unknown
}

export interface FirstProposal {
  readonly draft: string
  readonly title: string
  readonly recipients: Recipients
  readonly text: string
}

export interface AnsweredMail {
  readonly message_id: string
  /** The mailbox that it came to. */
  readonly account: string
  readonly subject: string | null
  readonly from: string | null
  readonly received_at: string | null
  readonly label: { readonly word: string; readonly integrity: string } | null
}

export interface DraftDetail extends DraftSummary {
  readonly rollback: string | null
  readonly document: string
  /** Base64. */
  readonly wire: string
  /** Every address in subject and text of which a mail program makes a link, in full; once more in ASCII where it is written in other letters. */
  readonly links: readonly string[]
  readonly link_warnings: readonly { readonly url: string; readonly warning: string }[]
  readonly first: FirstProposal | null
  readonly answers: AnsweredMail | null
  readonly history: readonly HistoryLine[]
}

export interface SessionAnswer {
  readonly token: string
  readonly key_id: string
  readonly expires_at: string
}

/** Whether what is signed leaves. */
export interface OutboxState {
  readonly state: 'open' | 'fenced'
  readonly fence: { readonly id: string; readonly at: string; readonly why: string; readonly waiting: readonly string[] } | null
  /** The draft by which it goes on, where one was made. */
  readonly resume: string | null
  readonly held: number
}

export interface Decided {
  readonly outcome: 'decided'
  readonly state: 'held' | 'denied'
  readonly hold_until: string | null
}
