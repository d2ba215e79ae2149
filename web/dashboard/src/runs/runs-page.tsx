import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { runsQuery } from '../api/queries.ts'
import type { RunSummary } from '../api/views.ts'
import { Empty } from '../parts/page-states.tsx'
import { RunRow } from '../parts/run-row.tsx'
import { PageHead } from '../parts/section.tsx'
import { Shown } from '../parts/shown.tsx'

const route = getRouteApi('/runs')
const states: readonly RunSummary['state'][] = ['running', 'parked', 'succeeded', 'dead', 'cancelled']

/** Runs, the newest first, by state if wished. */
export function RunsPage() {
  const { state, job } = route.useSearch()
  const known = states.find((one) => one === state)
  const runs = useQuery(runsQuery({ ...(known && { state: known }), ...(job && { job }) }))
  return (
    <div className="page">
      <PageHead title="Runs" about={job === undefined ? 'Every run, the newest first; each opens its timeline.' : `Runs of ${job}, the newest first.`} />
      <nav className="filters" aria-label="Runs by state">
        <Link className="filter" to="/runs" search={job === undefined ? {} : { job }} activeOptions={{ exact: true }}>All</Link>
        {states.map((one) => <Link key={one} className="filter" to="/runs" search={{ ...(job !== undefined && { job }), state: one }} activeOptions={{ exact: true }}>{one}</Link>)}
      </nav>
      <Shown query={runs} what="The runs" rows={8}>
        {(found) => (found.length > 0 ? <ul className="card">{found.map((run) => <RunRow key={run.id} run={run} />)}</ul> : <NoRuns state={known} />)}
      </Shown>
    </div>
  )
}

function NoRuns({ state }: { state: string | undefined }) {
  if (state === undefined) return <Empty title="No run yet" why="A run begins when a job is due, or when you start it." action={<Button component={Link} to="/jobs" variant="default">Start a job</Button>} />
  return <Empty title={`No run is ${state}`} why={why[state] ?? 'There may be others.'} action={<Button component={Link} to="/runs" variant="default">All runs</Button>} />
}

const why: Readonly<Record<string, string>> = {
  running: 'Nothing is being done right now.',
  parked: 'None waits for a decision of yours.',
  dead: 'None gave up; a run gives up when a step has failed as often as its job allows.',
  cancelled: 'None was ended before its time.',
}
