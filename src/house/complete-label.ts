import { HOUSE_LANE, type Label } from '../labels/index.ts'

/** A label as the operator wrote it, in the form that labels have: lanes sorted, and P2 and above always in one. */
export function completeLabel(label: Label): Label {
  const lanes = [...new Set(label.lanes)].sort()
  return { ...label, lanes: label.level >= 2 && lanes.length === 0 ? [HOUSE_LANE] : lanes }
}
