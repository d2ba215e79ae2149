import { Link } from '@tanstack/react-router'
import type { RunSummary } from '../api/views.ts'
import { duration, shortId } from '../words/wording.ts'
import { LabelChip } from './label-chip.tsx'
import { State } from './state.tsx'
import { Moment } from './time.tsx'

/** A run in a list; it opens its timeline. */
export function RunRow({ run, why = false, brief = false }: { run: RunSummary; why?: boolean; brief?: boolean }) {
  return (
    <li className={brief ? 'row row-slim' : 'row'}>
      <State state={run.state} bare />
      <div>
        <Link className="title stretched" data-row to="/runs/$id" params={{ id: run.id }}>{run.job}</Link>
        <div className="sub sub-line">
          {!brief && <span className="mono faint">{shortId(run.id)}</span>}
          {why && run.error !== null && <span>{run.error.message || run.error.code}</span>}
          {!why && <LabelChip label={run.label} />}
          {!why && run.made_without_model && <span className="chip">made without a model</span>}
        </div>
      </div>
      <div className="end">
        {run.state !== 'succeeded' && !why && <State state={run.state} />}
        {run.origin !== 'schedule' && !brief && <span className="faint">{run.origin === 'manual' ? 'by hand' : run.origin}</span>}
        {run.closed_at !== null && !why && <span>{duration(Date.parse(run.closed_at) - Date.parse(run.opened_at))}</span>}
        <Moment at={run.opened_at} />
      </div>
    </li>
  )
}
