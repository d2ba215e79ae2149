/** Confidentiality: P0 public < P1 low < P2 internal < P3 local only. */
export type Level = 0 | 1 | 2 | 3
export type Integrity = 'trusted' | 'untrusted'

/** What travels with every piece of data: who may see it, whether a stranger could have written it, and the lanes it came through. */
export interface Label {
  readonly level: Level
  readonly integrity: Integrity
  /** Sorted, without repetition. */
  readonly lanes: readonly string[]
}

/** A label as its three columns hold it. */
export interface LabelRow {
  readonly label_level: number
  readonly label_integrity: string
  readonly label_lanes: readonly string[]
}

/** Whatever arrives without a label is taken for the worst. */
export const UNLABELLED: Label = Object.freeze({ level: 3, integrity: 'untrusted', lanes: Object.freeze([]) as readonly string[] })

/** The identity of `join`. */
export const PUBLIC_TRUSTED: Label = Object.freeze({ level: 0, integrity: 'trusted', lanes: Object.freeze([]) as readonly string[] })

/** The lane of what belongs to no lane in particular. Every house has it; its clearance is P1 at most. */
export const HOUSE_LANE = 'house'

/** The label of several pieces taken together: the highest level, untrusted wins, all lanes. Of nothing: public and trusted. */
export function join(...labels: readonly Label[]): Label {
  return labels.map(inLane).reduce(joinTwo, PUBLIC_TRUSTED)
}

/**
 * P2 that names no lane belongs to the house. Otherwise a lane that may show its P2 to a cloud model would take along whatever unlaned P2
 * one of its runs has read: joining would widen what may be reached.
 */
export function inLane(label: Label): Label {
  return label.level === 2 && label.lanes.length === 0 ? { ...label, lanes: [HOUSE_LANE] } : label
}

function joinTwo(a: Label, b: Label): Label {
  return {
    level: a.level > b.level ? a.level : b.level,
    integrity: a.integrity === 'untrusted' || b.integrity === 'untrusted' ? 'untrusted' : 'trusted',
    lanes: [...new Set([...a.lanes, ...b.lanes])].sort(),
  }
}

/** Is `high` at least as strict as `low` in every respect? */
export function covers(high: Label, low: Label): boolean {
  return (
    high.level >= low.level &&
    (high.integrity === 'untrusted' || low.integrity === 'trusted') &&
    low.lanes.every((lane) => high.lanes.includes(lane))
  )
}

/** The label of a database row. Values that no label can have are taken for the worst. */
export function fromRow(row: LabelRow): Label {
  return {
    level: isLevel(row.label_level) ? row.label_level : UNLABELLED.level,
    integrity: row.label_integrity === 'trusted' ? 'trusted' : 'untrusted',
    lanes: [...new Set(row.label_lanes)].sort(),
  }
}

/** The three columns of a label. */
export function toRow(label: Label): { label_level: Level; label_integrity: Integrity; label_lanes: string[] } {
  return { label_level: label.level, label_integrity: label.integrity, label_lanes: [...label.lanes] }
}

export function isLevel(value: unknown): value is Level {
  return value === 0 || value === 1 || value === 2 || value === 3
}
