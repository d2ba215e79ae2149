import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { todayQuery } from '../api/queries.ts'
import type { Today } from '../api/views.ts'
import { Empty, Notice } from '../parts/page-states.tsx'
import { RunRow } from '../parts/run-row.tsx'
import { PageHead, Section } from '../parts/section.tsx'
import { Shown } from '../parts/shown.tsx'
import { Distance, Moment } from '../parts/time.tsx'
import { counted, todayLine } from '../words/wording.ts'
import { sentence } from '../words/sentence.ts'
import { Brief } from './brief.tsx'
import { NeedsYou } from './needs-you.tsx'
import { NotRunRows } from './not-run.tsx'
import './today.css'

/** The morning page: what waits for the operator, what ran, what did not and why, what comes, and the brief. */
export function TodayPage() {
  const today = useQuery(todayQuery)
  return (
    <div className="page">
      <PageHead title="Today" about={<p className="today-line" data-testid="today-line">{today.data ? todayLine(today.data) : today.error ? '' : <span className="skeleton today-line-room" aria-hidden />}</p>} />
      <Shown query={today} what="Today" rows={7}>{(data) => <Sections today={data} />}</Shown>
    </div>
  )
}

function Sections({ today }: { today: Today }) {
  return (
    <div className="today">
      <div className="today-yours"><NeedsYou today={today} /></div>
      <div className="today-side">
        <Section title="Ran since midnight" count={today.counts.ran}>
          {today.runs.length > 0
            ? <ul className="card">{today.runs.slice(0, 8).map((run) => <RunRow key={run.id} run={run} brief />)}{today.runs.length > 8 && <li><Link className="row-more" data-row to="/runs">All runs</Link></li>}</ul>
            : <Empty title="Nothing has run yet today" why="Jobs run when their schedule says so, or when you start one." action={<Button component={Link} to="/jobs" variant="default">Start a job</Button>} />}
        </Section>
        {today.not_run.length > 0 && <NotRunRows slots={today.not_run} />}
        <Section title="Next">
          {today.next.length > 0
            ? (
              <ul className="card">
                {today.next.map(({ job, at }) => (
                  <li className="row row-slim" key={job}>
                    <span className="next-at"><Moment at={at} /></span>
                    <Link className="title stretched" data-row to="/jobs/$name" params={{ name: job }}>{job}</Link>
                    <span className="end"><Distance at={at} /></span>
                  </li>
                ))}
              </ul>
            )
            : <Empty title="Nothing is planned" why="No job has a schedule, or all of them are paused." action={<Button component={Link} to="/jobs" variant="default">To the jobs</Button>} />}
        </Section>
        {today.kept_aside > 0 && (
          <Notice tone="yours" title={`${counted(today.kept_aside, 'message')} kept aside`}>
            P3 local only, arrived since midnight; no cloud model will see {today.kept_aside === 1 ? 'it' : 'them'}.
          </Notice>
        )}
        {today.isolation.mode === 'demonstration' && <Notice tone="warn" title="Demonstration">{sentence(today.isolation.detail)}</Notice>}
      </div>
      {today.brief !== null && <div className="today-brief"><Brief brief={today.brief} /></div>}
    </div>
  )
}
