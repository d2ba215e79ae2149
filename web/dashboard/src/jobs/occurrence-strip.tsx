import type { StripSlot } from '../api/views.ts'
import { markOf, tellStrip, type SlotShape } from './strip.ts'

const room = 30
const step = 7
const height = 22

/** The last thirty slots, the newest at the right: what became of each as colour and shape, and the whole in words. */
export function OccurrenceStrip({ strip }: { strip: readonly StripSlot[] }) {
  const first = room - strip.length
  return (
    <svg className="strip" viewBox={`0 0 ${room * step} ${height}`} role="img" aria-label={tellStrip(strip)}>
      {Array.from({ length: first }, (_, index) => <circle key={index} className="strip-none" cx={index * step + 3} cy={height / 2} r={1} />)}
      {strip.map((slot, index) => {
        const { shape, tone } = markOf(slot)
        return <Mark key={slot.slot} shape={shape} tone={tone} x={(first + index) * step} />
      })}
    </svg>
  )
}

function Mark({ shape, tone, x }: { shape: SlotShape; tone: string; x: number }) {
  const className = `strip-${shape} tone-${tone}`
  switch (shape) {
    case 'full': return <rect className={className} x={x + 1} y={2} width={4} height={height - 4} rx={1.5} />
    case 'hollow': return <rect className={className} x={x + 1.5} y={2.5} width={3} height={height - 5} rx={1.5} />
    case 'low': return <rect className={className} x={x + 1} y={height - 7} width={4} height={5} rx={1.5} />
    case 'dot': return <circle className={className} cx={x + 3} cy={height / 2} r={2.5} />
    case 'cross': return <path className={className} d={`M${x + 0.75} ${height / 2 - 4} l4.5 8 M${x + 5.25} ${height / 2 - 4} l-4.5 8`} />
  }
}
