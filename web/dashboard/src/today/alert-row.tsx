import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { sentenceOf } from '../api/api-problem.ts'
import { acknowledgeAlert } from '../api/requests.ts'
import type { SecurityAlert } from '../api/views.ts'
import { State } from '../parts/state.tsx'
import { Distance } from '../parts/time.tsx'
import { sentence } from '../words/sentence.ts'
import { counted } from '../words/wording.ts'

/** What was seen, how often, what to do, and the way to say that one has seen it. It closes by itself when it is over. */
export function AlertRow({ alert }: { alert: SecurityAlert }) {
  const queries = useQueryClient()
  const acknowledge = useMutation({
    mutationFn: () => acknowledgeAlert(alert.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['today'] }),
  })
  return (
    <li className="row alert-row">
      <State state={alert.level} bare />
      <div>
        <div className="title">{sentence(alert.what)}</div>
        <div className="sub">To do: {alert.mend}</div>
        {acknowledge.error !== null && <span className="state tone-bad" role="alert">{sentenceOf(acknowledge.error)}</span>}
      </div>
      <div className="end">
        <span className="sub-line dot-apart">
          <span className="alert-level">{alert.level}</span>
          <span>{counted(alert.count, 'time')}</span>
          <span>last <Distance at={alert.last_seen} /></span>
        </span>
        <Button size="xs" variant="default" className="touch" loading={acknowledge.isPending} onClick={() => acknowledge.mutate()} aria-label={`Acknowledge: ${alert.what}`}>Acknowledge</Button>
      </div>
    </li>
  )
}
