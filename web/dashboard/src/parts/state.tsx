import {
  IconAlertTriangleFilled, IconCircleCheckFilled, IconCircleDashed, IconCircleX, IconCircleXFilled, IconClock, IconLoader2, IconPlayerPauseFilled, IconPointFilled, IconSignature, IconSlash,
} from '@tabler/icons-react'
import { toneOf, wordOf, type Tone } from './tone.ts'

const shapes = { good: IconCircleCheckFilled, bad: IconCircleXFilled, warn: IconAlertTriangleFilled, live: IconLoader2, yours: IconSignature, quiet: IconCircleDashed }
const ownShapes: Readonly<Record<string, typeof IconClock>> = {
  queued: IconClock, waiting: IconClock, retrying: IconClock, due: IconClock, active: IconPointFilled, paused: IconPlayerPauseFilled, skipped: IconSlash, cancelled: IconCircleX, denied: IconCircleX,
}

interface StateProps {
  readonly state: string
  readonly of?: 'draft' | 'other'
  /** Only the shape; the word is then read out and not seen. */
  readonly bare?: boolean
  readonly word?: string
}

/** A state as shape, colour and word. */
export function State({ state, of = 'other', bare = false, word = wordOf(state) }: StateProps) {
  const tone = toneOf(state, of)
  return (
    <span className={`state tone-${tone}`}>
      <Shape state={state} tone={tone} />
      <span className={bare ? 'hidden' : undefined}>{word}</span>
    </span>
  )
}

function Shape({ state, tone }: { state: string; tone: Tone }) {
  const Icon = tone === 'yours' ? shapes.yours : (ownShapes[state] ?? shapes[tone])
  return <Icon size={16} stroke={2} aria-hidden className={tone === 'live' ? 'turning' : undefined} />
}
