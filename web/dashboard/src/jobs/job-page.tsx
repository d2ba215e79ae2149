import { IconChevronLeft } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { historyQuery, jobQuery, jobsQuery } from '../api/queries.ts'
import type { Fire, JobDetail } from '../api/views.ts'
import { LabelChip } from '../parts/label-chip.tsx'
import { Empty, Rows } from '../parts/page-states.tsx'
import { AboutRoom, PageHead, Section } from '../parts/section.tsx'
import { Shown } from '../parts/shown.tsx'
import { State } from '../parts/state.tsx'
import { Distance, Moment } from '../parts/time.tsx'
import { duration } from '../words/wording.ts'
import { HistoryRow } from './history-row.tsx'
import { JobActions } from './job-actions.tsx'
import { OccurrenceStrip } from './occurrence-strip.tsx'
import { StripLegend } from './strip-legend.tsx'
import './jobs.css'

const route = getRouteApi('/jobs/$name')

/** One job: when it is due, what it does, and what became of every slot, with the reason. */
export function JobPage() {
  const { name } = route.useParams()
  const job = useQuery(jobQuery(name))
  return (
    <div className="page">
      <PageHead
        title={name}
        above={<Link className="crumb" to="/jobs"><IconChevronLeft size={14} aria-hidden />Jobs</Link>}
        about={job.data === undefined ? <AboutRoom /> : <><p>{job.data.summary}</p><p className="sub-line job-marks"><State state={job.data.state} /><LabelChip label={job.data.label} /></p></>}
        actions={job.data && <JobActions job={job.data} />}
      />
      <Shown query={job} what={`The job “${name}”`} rows={6}>{(data) => <JobParts job={data} />}</Shown>
    </div>
  )
}

function JobParts({ job }: { job: JobDetail }) {
  const history = useQuery(historyQuery(job.name))
  const lines = useQuery(jobsQuery)
  const line = lines.data?.find(({ name }) => name === job.name)
  if (lines.isPending) return <Rows count={6} label="The job is loading" />
  return (
    <div className="job-grid">
      <div>
        {line !== undefined && line.strip.length > 0 && (
          <Section title="Last slots">
            <div className="card strip-card"><OccurrenceStrip strip={line.strip} /><StripLegend /></div>
          </Section>
        )}
        <Section title="History" aside={<Link className="link" to="/runs" search={{ job: job.name }}>its runs</Link>}>
          <Shown query={history} what="The history" rows={4}>
            {(slots) => (slots.length > 0
              ? <ul className="card">{slots.map((slot) => <HistoryRow key={slot.id} slot={slot} />)}</ul>
              : <Empty title="No slot yet" why="It was neither due nor started since Castellan is here. “Run now” above starts it." />)}
          </Shown>
        </Section>
      </div>
      <div>
        <Section title="Next"><Fires job={job} fires={line?.fires ?? []} /></Section>
        <Section title="Steps" count={job.steps.length}>
          <ol className="card steps">
            {job.steps.map((step, index) => (
              <li key={step.id}>
                <span className="number">{index + 1}</span>
                <span>{step.id}{step.if !== null && <span className="faint"> if a condition holds</span>}</span>
                <code>{step.uses}</code>
              </li>
            ))}
          </ol>
        </Section>
        <Section title="Rules">
          <dl className="facts">
            <div><dt>Lane</dt><dd>{job.lane}</dd></div>
            <div><dt>Reads up to</dt><dd>{job.reads_up_to}</dd></div>
            <div><dt>When a slot was missed</dt><dd>{job.missed}</dd></div>
            <div><dt>When the last run is still open</dt><dd>{job.overlap}</dd></div>
            <div><dt>Tries of a step</dt><dd>{job.tries}</dd></div>
            <div><dt>Time for a step</dt><dd>{duration(job.timeout_ms)}</dd></div>
          </dl>
        </Section>
      </div>
    </div>
  )
}

function Fires({ job, fires }: { job: JobDetail; fires: readonly Fire[] }) {
  if (fires.length === 0) {
    return job.state === 'paused'
      ? <Empty title="It is paused" why="Slots that pass meanwhile are written down as skipped. “Resume” above lets its schedule go on." />
      : <Empty title="It has no schedule" why="It runs when you start it, or when the webhook or alert comes that its file names." />
  }
  return (
    <ol className="card">
      {fires.map(({ at, cron }) => (
        <li className="row row-slim" key={at}>
          <span><Moment at={at} /></span>
          <code className="mono faint">{cron}</code>
          <span className="end"><Distance at={at} /></span>
        </li>
      ))}
    </ol>
  )
}
