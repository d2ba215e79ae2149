import { parseDuration } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'
import { describeLevel, type Level } from '../../labels/index.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { moment, shortId, type Here } from '../terminal/wording.ts'

/** An act that was granted, as the releaser lists it. */
export interface Clearance {
  readonly id: string
  /** Null: a machine of the operator's own. */
  readonly lane: string | null
  readonly upstream: string
  readonly url: string
  readonly level: Level
  readonly granted_at: string
  readonly expires_at: string | null
  readonly revoked_at: string | null
  /**
   * `elsewhere`: castellan.yaml has another address for it now, so that it does not count. `fenced`: an older copy of the database came back, and it counts
   * again after `castellan outbox resume`.
   */
  readonly state: 'good' | 'fenced' | 'elsewhere' | 'expired' | 'revoked'
}

export interface ProposedClearance {
  readonly draft: string
  readonly risk: number
}

export interface RevokedClearance {
  readonly lane: string | null
  readonly upstream: string
  readonly state: 'revoked'
  /** Open ones that would clear it again. */
  readonly drafts: readonly string[]
}

export function revokedText({ drafts }: Pick<RevokedClearance, 'drafts'>, what: string): string {
  return [what, ...drafts.map((id) => `Draft ${shortId(id)} is open and would clear it again: castellan draft deny ${shortId(id)}, or draft undo while it is held.`)].join('\n')
}

export function clearanceLine({ lane, upstream, url, level, state, granted_at, expires_at }: Clearance, terminal: Terminal, here: Here): string[] {
  return [lane === null ? 'a machine of your own' : `lane ${lane}`, upstream, url, describeLevel(level), paintState(terminal, state), moment(granted_at, here), expires_at === null ? 'you take it back' : moment(expires_at, here)]
}

export function proposedText({ draft }: Pick<ProposedClearance, 'draft'>): string {
  return [
    `Draft ${shortId(draft)} waits for your signature. Until then nothing is cleared.`,
    `  castellan draft show ${shortId(draft)}      what it means, in words`,
    `  castellan draft approve ${shortId(draft)}   or on the signing page`,
  ].join('\n')
}

/** The moment that `2027-03-31` (its end, UTC), an ISO moment or `90d` names; null: none. */
export function readEnd(text: string | undefined, now: Date): string | null {
  if (text === undefined) return null
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00.000Z`) + 86_400_000 : Number.NaN
  const end = Number.isNaN(day) ? (/^\d{4}-/.test(text) ? Date.parse(text) : spanFrom(text, now)) : day
  if (Number.isNaN(end)) throw new Fault('invalid', 'usage', `${text} is not a time: write a day such as 2027-03-31, or a span such as 90d`)
  return new Date(end).toISOString()
}

function spanFrom(text: string, now: Date): number {
  try {
    return now.getTime() + parseDuration(text)
  } catch {
    return Number.NaN
  }
}
