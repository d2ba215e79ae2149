import { Link } from '@tanstack/react-router'
import type { Occurrence } from '../api/views.ts'
import { State } from '../parts/state.tsx'
import { Moment } from '../parts/time.tsx'
import { shortId } from '../words/wording.ts'
import { markOf } from './strip.ts'

/** A slot with what became of it and why; it opens the run, where there was one. */
export function HistoryRow({ slot }: { slot: Occurrence }) {
  const state = slot.run_state !== null && markOf(slot).word !== 'ran' ? slot.run_state : slot.state
  return (
    <li className="row row-slim">
      <State state={state} bare />
      <div>
        {slot.run === null
          ? <span className="title"><Moment at={slot.slot} /></span>
          : <Link className="title stretched" data-row to="/runs/$id" params={{ id: slot.run }}><Moment at={slot.slot} /></Link>}
        {slot.reason !== null && <div className="sub">{slot.reason}</div>}
      </div>
      <div className="end">
        {slot.origin !== 'schedule' && <span className="faint">{slot.origin === 'manual' ? 'by hand' : slot.origin}</span>}
        {slot.run !== null && <span className="mono faint">{shortId(slot.run)}</span>}
        <State state={state} />
      </div>
    </li>
  )
}
