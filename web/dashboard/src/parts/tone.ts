/** What a state means to the operator; each has a colour and a shape, and the word stands beside it. */
export type Tone = 'good' | 'bad' | 'warn' | 'live' | 'yours' | 'quiet'

const tones: Readonly<Record<string, Tone>> = {
  // slots, runs and steps
  ran: 'good', succeeded: 'good', running: 'live', started: 'live', retrying: 'warn', missed: 'warn', failed: 'bad', dead: 'bad', parked: 'yours',
  // jobs, processes and checks
  active: 'good', paused: 'warn', ready: 'good', starting: 'live', backoff: 'warn', crashed: 'bad', not_ready: 'bad', ok: 'good', fail: 'bad', warn: 'warn', error: 'bad', warning: 'warn',
  // alerts
  critical: 'bad',
  // drafts and proposals
  signed: 'live', held: 'live', releasing: 'live', released: 'good', unknown: 'yours', expired: 'warn', refused: 'bad', needs_you: 'yours',
}

/** A draft that waits, waits for the operator; anything else that waits, waits for its turn. A state that is not known is quiet. */
export function toneOf(state: string, of: 'draft' | 'other' = 'other'): Tone {
  return of === 'draft' && state === 'waiting' ? 'yours' : (tones[state] ?? 'quiet')
}

/** `not_ready` → `not ready`. */
export function wordOf(state: string): string {
  return state.replaceAll('_', ' ')
}
