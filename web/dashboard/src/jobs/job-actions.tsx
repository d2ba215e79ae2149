import { Button } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { pauseJob, resumeJob, runJob } from '../api/requests.ts'
import { sentenceOf } from '../api/api-problem.ts'
import type { JobDetail } from '../api/views.ts'

/** Run now, which goes to the run and shows it live; pause, or go on. */
export function JobActions({ job }: { job: Pick<JobDetail, 'name' | 'state'> }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const start = useMutation({
    mutationFn: () => runJob(job.name),
    onSuccess: ({ id }) => void navigate({ to: '/runs/$id', params: { id } }),
  })
  const hold = useMutation({
    mutationFn: () => (job.state === 'paused' ? resumeJob(job.name) : pauseJob(job.name)),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['jobs'] }),
  })
  const failed = start.error ?? hold.error
  return (
    <>
      {job.state !== 'undeclared' && (
        <Button size="xs" variant="default" className="touch" loading={start.isPending} onClick={() => start.mutate()} leftSection={<IconPlayerPlay size={14} aria-hidden />} aria-label={`Run now: ${job.name}`}>
          Run now
        </Button>
      )}
      {(job.state === 'active' || job.state === 'paused') && (
        <Button
          size="xs" variant="subtle" color="gray" className="touch" loading={hold.isPending} onClick={() => hold.mutate()}
          leftSection={job.state === 'paused' ? <IconPlayerPlay size={14} aria-hidden /> : <IconPlayerPause size={14} aria-hidden />}
          aria-label={job.state === 'paused' ? `Resume ${job.name}` : `Pause ${job.name}`}
        >
          {job.state === 'paused' ? 'Resume' : 'Pause'}
        </Button>
      )}
      {failed !== null && <span className="state tone-bad" role="alert">{sentenceOf(failed)}</span>}
    </>
  )
}
