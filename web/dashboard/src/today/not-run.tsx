import { Link } from '@tanstack/react-router'
import type { NotRun } from '../api/views.ts'
import { Section } from '../parts/section.tsx'
import { State } from '../parts/state.tsx'
import { Moment } from '../parts/time.tsx'

/** Slots that came and went without a run, each with its reason. */
export function NotRunRows({ slots }: { slots: readonly NotRun[] }) {
  return (
    <Section title="Did not run" count={slots.reduce((sum, { count }) => sum + count, 0)}>
      <ul className="card">
        {slots.map((one) => (
          <li className="row" key={`${one.job} ${one.state} ${one.reason}`}>
            <State state={one.state} bare />
            <div>
              <Link className="title stretched" data-row to="/jobs/$name" params={{ name: one.job }}>{one.job}</Link>
              <div className="sub">{one.reason}</div>
            </div>
            <div className="end">
              <State state={one.state} />
              {one.count === 1 ? <Moment at={one.first} /> : <span>{one.count} slots, <Moment at={one.first} /> to <Moment at={one.last} /></span>}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}
