import type { Check } from '../api/views.ts'
import { Command } from '../parts/command.tsx'
import { State } from '../parts/state.tsx'

/** What the doctor found at one place, and the command that mends it. */
export function CheckRow({ check }: { check: Check }) {
  return (
    <li className="row check-row">
      <State state={check.status} bare word={check.status} />
      <div>
        <div className="title">{check.id}</div>
        <div className="sub">{check.what}</div>
        {check.mend !== undefined && <div className="mend"><span className="faint">Mend it with</span> <Command text={check.mend} /></div>}
      </div>
      <div className="end"><State state={check.status} /></div>
    </li>
  )
}
