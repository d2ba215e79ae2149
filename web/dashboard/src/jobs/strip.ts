import type { StripSlot } from '../api/views.ts'
import { counted } from '../words/wording.ts'

/** How a slot is drawn: each its own shape, so that colour is never the only sign. */
export type SlotShape = 'full' | 'cross' | 'hollow' | 'low' | 'dot'

export interface SlotMark {
  readonly shape: SlotShape
  readonly tone: 'good' | 'bad' | 'warn' | 'quiet' | 'live'
  readonly word: string
}

/** A slot that ran is told by what became of its run. */
export function markOf({ state, run_state: run }: Pick<StripSlot, 'state' | 'run_state'>): SlotMark {
  if (state === 'failed' || run === 'dead') return { shape: 'cross', tone: 'bad', word: 'failed' }
  if (state === 'missed') return { shape: 'hollow', tone: 'warn', word: 'missed' }
  if (state === 'skipped') return { shape: 'low', tone: 'quiet', word: 'skipped' }
  if (state === 'due' || (run !== null && run !== 'succeeded' && run !== 'cancelled')) return { shape: 'dot', tone: 'live', word: 'open' }
  return { shape: 'full', tone: 'good', word: 'ran' }
}

/** `Last 4 slots: 2 ran, 1 missed, 1 failed. The last one ran.` */
export function tellStrip(strip: readonly StripSlot[]): string {
  if (strip.length === 0) return 'No slot yet.'
  const counts = new Map<string, number>()
  for (const slot of strip) counts.set(markOf(slot).word, (counts.get(markOf(slot).word) ?? 0) + 1)
  const last = markOf(strip.at(-1)!).word
  return `Last ${counted(strip.length, 'slot')}: ${[...counts].map(([word, count]) => `${count} ${word}`).join(', ')}. The last one ${last === 'ran' ? 'ran' : `is ${last}`}.`
}
