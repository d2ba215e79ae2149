import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { IconChevronLeft } from '@tabler/icons-react'
import { useState } from 'react'
import { runQuery } from '../api/queries.ts'
import type { RunDetail } from '../api/views.ts'
import { LabelChip } from '../parts/label-chip.tsx'
import { Notice } from '../parts/page-states.tsx'
import { AboutRoom, PageHead, Section } from '../parts/section.tsx'
import { Shown } from '../parts/shown.tsx'
import { State } from '../parts/state.tsx'
import { Moment } from '../parts/time.tsx'
import { useNow } from '../words/use-now.ts'
import { duration, shortId } from '../words/wording.ts'
import { Output, Withheld } from './output.tsx'
import { RunActions, type Asked } from './run-actions.tsx'
import { RunLog, useRunLog } from './run-log.tsx'
import { StepRow } from './step-row.tsx'
import { useRunStream } from './use-run-stream.ts'
import { useRevealed } from './use-revealed.ts'
import { spansOf } from './waterfall.ts'
import './runs.css'

const route = getRouteApi('/runs/$id')
const closed = new Set(['succeeded', 'cancelled', 'dead'])

/** A run as it goes: each step as it begins and ends, what it returned, and what the operator may do about it. */
export function RunPage() {
  const { id } = route.useParams()
  const run = useQuery(runQuery(id))
  const [asked, ask] = useState<Asked>()
  const live = useRunStream(id, run.data !== undefined && !closed.has(run.data.state))
  return (
    <div className="page" key={id}>
      <PageHead
        title={run.data?.job ?? 'Run'}
        above={<Link className="crumb" to="/runs"><IconChevronLeft size={14} aria-hidden />Runs</Link>}
        about={run.data === undefined ? <AboutRoom /> : <About run={run.data} />}
        actions={run.data && <RunActions run={run.data} isClosed={closed.has(run.data.state)} asked={asked} ask={ask} />}
      />
      <Shown query={run} what={`The run ${shortId(id)}`} rows={6}>{(data) => <RunParts run={data} live={live} ask={ask} />}</Shown>
    </div>
  )
}

function About({ run }: { run: RunDetail }) {
  const now = useNow()
  const took = Date.parse(run.closed_at ?? now.toISOString()) - Date.parse(run.opened_at)
  return (
    <div className="run-about" data-testid="run-state">
      <span aria-live="polite"><State state={run.state} /></span>
      <LabelChip label={run.label} />
      <span className="mono faint">{shortId(run.id)}</span>
      <Link className="link" to="/jobs/$name" params={{ name: run.job }}>to the job</Link>
      <span>{run.origin === 'manual' ? 'started by hand' : run.origin === 'redrive' ? 'taken up again' : run.origin === 'webhook' ? 'by an event' : run.origin === 'alert' ? 'by an alert' : 'by schedule'} <Moment at={run.opened_at} /></span>
      {took >= 0 && <span>{run.closed_at === null ? 'open for' : 'took'} {duration(took)}</span>}
      {run.made_without_model && <span className="chip">made without a model</span>}
    </div>
  )
}

function RunParts({ run, live, ask }: { run: RunDetail; live: boolean; ask: (asked: Asked) => void }) {
  const log = useRunLog(run.id)
  const now = useNow()
  const spans = spansOf(run.steps, now)
  const isClosed = closed.has(run.state)
  return (
    <>
      {run.error !== null && <Notice tone="bad" title={run.error.code}>{run.error.message}</Notice>}
      {run.state === 'parked' && <Notice tone="yours" title="It waits for your decision">Nothing of it runs meanwhile. What you decide on its drafts takes it up again.</Notice>}
      {run.occurrence.reason !== null && run.error === null && <Notice tone="warn" title={`The slot is ${run.occurrence.state}`}>{run.occurrence.reason}</Notice>}
      <Section title="Timeline" count={run.steps.length} aside={isClosed ? undefined : live ? 'live' : 'connecting …'}>
        <ol className="card timeline">
          {run.steps.map((step, index) => (
            <StepRow
              key={step.id} run={run.id} step={step} span={spans[index] ?? null}
              lines={log.lines.filter((line) => line.step === step.id)}
              proposals={run.proposals.filter((proposal) => proposal.step === step.id)}
              onRetry={isClosed && step.state !== 'pending' ? () => ask({ what: 'retry', from: step.id }) : undefined}
            />
          ))}
        </ol>
      </Section>
      <RunInput run={run} />
      <RunLog log={log} />
    </>
  )
}

function RunInput({ run }: { run: RunDetail }) {
  const revealed = useRevealed(run.id)
  const input = revealed.run?.input ?? run.input
  if (run.withheld && revealed.run === undefined) return <Section title="Input"><Withheld what="Its input" {...revealed} /></Section>
  if (input === null || (typeof input === 'object' && Object.keys(input as object).length === 0)) return null
  return <Section title="Input"><Output value={input} /></Section>
}
