import { counted, money } from './wording.ts'

interface Counted {
  readonly counts: { needs_you: number; ran: number; missed: number; cost_eur: number | null; private_words_left: number }
  readonly missed_why: string | null
}

/** `3 need you · 4 ran · 1 missed (Castellan was not running) · EUR 0.00 · 0 private words left`. */
export function todayLine({ counts, missed_why }: Counted): string {
  const why = counts.missed > 0 && missed_why !== null ? ` (${shorten(missed_why)})` : ''
  return [
    `${counts.needs_you} ${counts.needs_you === 1 ? 'needs' : 'need'} you`,
    `${counts.ran} ran`,
    `${counts.missed} missed${why}`,
    money(counts.cost_eur),
    `${counted(counts.private_words_left, 'private word')} left`,
  ].join(' · ')
}

function shorten(reason: string): string {
  const clause = reason.split(/[;:]/)[0]!.trim()
  return clause.length > 60 ? `${clause.slice(0, 59)}…` : clause
}
