import { Fault } from '../../kernel/fault.ts'
import type { SocketClient } from '../connection/socket-client.ts'

/** A draft in the releaser's list. */
export interface DraftLine {
  id: string
  state: string
  reason: string | null
  kind: string
  connector: string
  account: string
  title: string | null
  recipients: { to: string[]; cc: string[]; bcc: string[] }
  risk: number
  high_risk: boolean
  label: { level: number; word: string; text: string; integrity: string; lanes: string[] }
  origin: { job: string; run: string | null; step: string } | null
  frozen_at: string
  expires_at: string
  seconds_left: number | null
  hold_until: string | null
  snoozed_until: string | null
  /** Why it cannot be approved as it is stored. */
  problem: string | null
}

/** A draft as the releaser shows it for signing. What it says of itself is not believed: see verify-draft.ts. */
export interface ReleaserDraft extends DraftLine {
  /** Canonical JSON, as it is signed. */
  document: string
  /** base64 */
  wire: string
  history: { at: string; draft: string; event: string; by?: string | null; reason?: string | null; receipt?: unknown }[]
}

/** States in which something may still happen, or the operator is asked. */
export const openStates = ['waiting', 'signed', 'held', 'releasing', 'unknown'] as const

const most = 1000

/** The draft that a whole id, or enough of its end or beginning, stands for. @throws Fault `draft.missing`, `draft.ambiguous` */
export async function findDraft(releaser: SocketClient, text: string): Promise<ReleaserDraft> {
  return releaser.get<ReleaserDraft>(`/drafts/${await resolveDraftId(releaser, text)}`)
}

/** @throws Fault `draft.missing`, `draft.ambiguous`, `draft.id` */
export async function resolveDraftId(releaser: SocketClient, text: string): Promise<string> {
  const wanted = text.toLowerCase()
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(wanted)) return wanted
  if (!/^[0-9a-f-]{4,35}$/.test(wanted)) {
    throw new Fault('invalid', 'draft.id', `"${text}" is no draft id: give it whole, or at least four characters of its end or beginning`)
  }
  const known = await releaser.get<DraftLine[]>('/drafts', { limit: most, snoozed: 'true' })
  const found = known.filter(({ id }) => id.endsWith(wanted) || id.startsWith(wanted))
  if (found.length === 0) throw new Fault('missing', 'draft.missing', `there is no draft "${text}"; \`castellan draft list\` shows those that are open`)
  if (found.length > 1) throw new Fault('conflict', 'draft.ambiguous', `${found.length} drafts are meant by "${text}"; give more of the id`)
  return found[0]!.id
}
