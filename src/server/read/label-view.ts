import { describeLevel, type Level } from '../../labels/index.ts'
import type { LabelView } from '../api.ts'

export interface LabelRow {
  label_level: number
  label_integrity: string
  label_lanes: string[]
}

/** A row's label as interfaces show it: always the word with the level. */
export function labelView(row: LabelRow): LabelView {
  return {
    level: row.label_level as Level,
    integrity: row.label_integrity === 'trusted' ? 'trusted' : 'untrusted',
    lanes: row.label_lanes,
    word: describeLevel(row.label_level as Level),
  }
}

/** ISO 8601 in UTC; null stays null. */
export function iso<T extends Date | null>(time: T): T extends Date ? string : string | null {
  return (time === null ? null : time.toISOString()) as T extends Date ? string : string | null
}
