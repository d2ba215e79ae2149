import type { Process } from '../api/views.ts'
import { State } from '../parts/state.tsx'
import { Distance } from '../parts/time.tsx'
import { counted } from '../words/wording.ts'

/** A process, whom it runs as, and how often it had to be started again. */
export function ProcessRow({ process }: { process: Process }) {
  return (
    <li className="row">
      <State state={process.state} bare />
      <div>
        <div className="title">{process.name}</div>
        <div className="sub sub-line dot-apart">
          <span>{process.isolation}</span>
          {process.uid !== null && <span>uid {process.uid}</span>}
          {process.pid !== null && <span>pid {process.pid}</span>}
        </div>
        {process.reason !== null && <div className="sub">{process.reason}</div>}
      </div>
      <div className="end">
        <span className={process.restarts > 0 ? 'state tone-warn' : 'faint'}>{counted(process.restarts, 'restart')}</span>
        <State state={process.state} />
        <span className="faint"><Distance at={process.since} /></span>
      </div>
    </li>
  )
}
