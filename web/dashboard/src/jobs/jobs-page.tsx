import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { jobsQuery } from '../api/queries.ts'
import type { JobLine } from '../api/views.ts'
import { Command } from '../parts/command.tsx'
import { Empty } from '../parts/page-states.tsx'
import { PageHead } from '../parts/section.tsx'
import { Shown } from '../parts/shown.tsx'
import { State } from '../parts/state.tsx'
import { wordOf } from '../parts/tone.ts'
import { Distance, Moment } from '../parts/time.tsx'
import { JobActions } from './job-actions.tsx'
import { OccurrenceStrip } from './occurrence-strip.tsx'
import './jobs.css'

/** Every job with what became of its last slots, and when it is due again. */
export function JobsPage() {
  const jobs = useQuery(jobsQuery)
  return (
    <div className="page">
      <PageHead title="Jobs" about="What is done when, and what became of the last thirty slots." />
      <Shown query={jobs} what="The jobs" rows={5}>
        {(found) => (found.length > 0 ? <ul className="card">{found.map((job) => <JobRow key={job.name} job={job} />)}</ul> : <NoJobs />)}
      </Shown>
    </div>
  )
}

function NoJobs() {
  return <Empty title="This house has no jobs" why="A job is a YAML file in the house’s jobs folder. This command says which folder that is:" action={<Command text="npx castellan status" />} />
}

function JobRow({ job }: { job: JobLine }) {
  return (
    <li className="row job-row">
      <State state={job.state} bare />
      <div>
        <Link className="title stretched" data-row to="/jobs/$name" params={{ name: job.name }}>{job.name}</Link>
        <div className="sub">{job.summary}</div>
      </div>
      <OccurrenceStrip strip={job.strip} />
      <div className="when">
        <b>{job.next !== null ? <Distance at={job.next} /> : wordOf(job.state)}</b>
        {job.last !== null ? <span>{job.last.state} <Moment at={job.last.opened_at} /></span> : <span className="faint">never ran</span>}
      </div>
      <div className="over"><JobActions job={job} /></div>
    </li>
  )
}
