import { Button } from '@mantine/core'
import { IconReload } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { sentenceOf } from '../api/api-problem.ts'
import { doctorQuery, houseQuery } from '../api/queries.ts'
import { reloadHouse } from '../api/requests.ts'
import type { House } from '../api/views.ts'
import { Notice } from '../parts/page-states.tsx'
import { AboutRoom, PageHead, Section } from '../parts/section.tsx'
import { Shown } from '../parts/shown.tsx'
import { Distance } from '../parts/time.tsx'
import { CheckRow } from './check-row.tsx'
import { Isolation } from './isolation.tsx'
import { ProcessRow } from './process-row.tsx'
import { Problems } from './problems.tsx'
import './house.css'

/** What runs, how far apart, on which configuration, and what the doctor finds. */
export function HousePage() {
  const queries = useQueryClient()
  const house = useQuery(houseQuery)
  const reload = useMutation({ mutationFn: reloadHouse, onSuccess: () => queries.invalidateQueries() })
  return (
    <div className="page">
      <PageHead
        title="House"
        about={house.data === undefined ? <AboutRoom /> : <p>{house.data.house.name}, in <code>{house.data.house.folder}</code></p>}
        actions={<Button size="xs" variant="default" className="touch" loading={reload.isPending} onClick={() => reload.mutate()} leftSection={<IconReload size={14} aria-hidden />}>Read the folder again</Button>}
      />
      {reload.error !== null && <Notice tone="bad" title="The folder could not be read again">{sentenceOf(reload.error)}</Notice>}
      {reload.data?.fresh === false && <Notice tone="warn" title="The last good house goes on">The folder has errors, which stand below.</Notice>}
      <Shown query={house} what="The house" rows={8}>{(data) => <HouseParts house={data} />}</Shown>
    </div>
  )
}

function HouseParts({ house }: { house: House }) {
  const doctor = useQuery(doctorQuery)
  const bad = doctor.data?.filter(({ status }) => status !== 'ok').length
  return (
    <>
      <Problems problems={house.house.problems} />
      <Isolation isolation={house.isolation} />
      <Section title="Processes" count={house.processes.length} aside={<>version {house.version}, started <Distance at={house.started_at} /></>}>
        <ul className="card">{house.processes.map((process) => <ProcessRow key={process.name} process={process} />)}</ul>
      </Section>
      <Section title="Doctor" count={bad} aside={<Button size="compact-xs" variant="subtle" color="gray" loading={doctor.isFetching} onClick={() => void doctor.refetch()}>Examine again</Button>}>
        <Shown query={doctor} what="The doctor" rows={6}>{(checks) => <ul className="card">{[...checks].sort((a, b) => order[a.status] - order[b.status]).map((check, index) => <CheckRow key={`${check.id} ${index}`} check={check} />)}</ul>}</Shown>
      </Section>
      <Section title="Parts">
        <dl className="facts">
          <div><dt>PostgreSQL</dt><dd>{house.database.version}, schema {house.database.schema}</dd></div>
          {house.parts.map(({ name, state }) => <div key={name}><dt>{name}</dt><dd>{state}</dd></div>)}
          <div><dt>Runs</dt><dd>{house.runs.running} running, {house.runs.queued_open + house.runs.queued_private} queued, {house.runs.parked} parked</dd></div>
          <div><dt>Signing app</dt><dd><a className="link" href={house.sign_origin} target="_blank" rel="noreferrer">{house.sign_origin}</a></dd></div>
          <div><dt>Time zone</dt><dd>{house.timezone}</dd></div>
        </dl>
      </Section>
    </>
  )
}

const order = { fail: 0, warn: 1, ok: 2 } as const
