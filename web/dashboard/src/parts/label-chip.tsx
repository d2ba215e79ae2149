import { IconLock } from '@tabler/icons-react'
import type { LabelView } from '../api/views.ts'
import { labelWords } from '../words/wording.ts'

/** The level with its word, never the number alone. */
export function LabelChip({ label }: { label: LabelView }) {
  return (
    <span className={`chip chip-${label.level}`}>
      {label.level === 3 && <IconLock size={12} stroke={2.2} aria-hidden />}
      {labelWords(label)}
    </span>
  )
}
