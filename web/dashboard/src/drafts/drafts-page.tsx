import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { draftsQuery } from '../api/queries.ts'
import type { DraftLine } from '../api/views.ts'
import { DraftRow } from '../parts/draft-row.tsx'
import { Empty } from '../parts/page-states.tsx'
import { PageHead } from '../parts/section.tsx'
import { Shown } from '../parts/shown.tsx'

const route = getRouteApi('/drafts')
const states: readonly DraftLine['state'][] = ['waiting', 'held', 'released', 'unknown', 'failed', 'denied', 'expired']

/** Drafts by what became of them. What they say, and the signing of them, is in the signing app. */
export function DraftsPage() {
  const { state } = route.useSearch()
  const known = states.find((one) => one === state)
  const drafts = useQuery(draftsQuery(known ? { state: known } : {}))
  return (
    <div className="page">
      <PageHead title="Drafts" about="What would leave the house, and what became of it. Each opens in the signing app, which alone shows what is signed." />
      <nav className="filters" aria-label="Drafts by state">
        <Link className="filter" to="/drafts" search={{}} activeOptions={{ exact: true }}>All</Link>
        {states.map((one) => <Link key={one} className="filter" to="/drafts" search={{ state: one }} activeOptions={{ exact: true }}>{one}</Link>)}
      </nav>
      <Shown query={drafts} what="The drafts" rows={6}>
        {(found) => (found.length > 0 ? <ul className="card">{found.map((draft) => <DraftRow key={draft.id} draft={draft} />)}</ul> : <NoDrafts state={known} />)}
      </Shown>
    </div>
  )
}

function NoDrafts({ state }: { state: string | undefined }) {
  if (state === undefined) {
    return <Empty title="No draft yet" why="When a job wants to send something, it becomes a draft that waits here for your signature. In the starter house morning-mail answers letters." action={<Button component={Link} to="/jobs/morning-mail" variant="default">To morning-mail</Button>} />
  }
  return <Empty title={`No draft is ${state}`} why="There may be others." action={<Button component={Link} to="/drafts" variant="default">All drafts</Button>} />
}
