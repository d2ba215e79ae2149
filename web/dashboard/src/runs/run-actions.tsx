import { Button, CopyButton } from '@mantine/core'
import { IconLink, IconPlayerStop, IconRefresh } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { cancelRun, retryRun } from '../api/requests.ts'
import type { RunDetail } from '../api/views.ts'
import { Confirm } from '../parts/confirm.tsx'
import { shortId } from '../words/wording.ts'

/** What was asked for and waits for a yes. */
export type Asked = { readonly what: 'retry'; readonly from: string | undefined } | { readonly what: 'cancel' } | undefined

interface RunActionsProps {
  readonly run: RunDetail
  readonly isClosed: boolean
  readonly asked: Asked
  readonly ask: (asked: Asked) => void
}

/** Cancel while it is open, take up again when it is closed; both ask first. */
export function RunActions({ run, isClosed, asked, ask }: RunActionsProps) {
  const queries = useQueryClient()
  const act = useMutation({
    mutationFn: async (wanted: NonNullable<Asked>) => (wanted.what === 'cancel' ? await cancelRun(run.id) : await retryRun(run.id, wanted.from)),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['run', run.id] })
      ask(undefined)
    },
  })
  const close = () => {
    act.reset()
    ask(undefined)
  }
  return (
    <>
      <CopyButton value={window.location.href}>
        {({ copied, copy }) => <Button size="xs" variant="subtle" color="gray" className="touch" onClick={copy} leftSection={<IconLink size={14} aria-hidden />}>{copied ? 'Copied' : 'Copy link'}</Button>}
      </CopyButton>
      {!isClosed && <Button size="xs" variant="default" className="touch" onClick={() => ask({ what: 'cancel' })} leftSection={<IconPlayerStop size={14} aria-hidden />}>Cancel</Button>}
      {isClosed && run.state !== 'succeeded' && (
        <Button size="xs" className="touch" onClick={() => ask({ what: 'retry', from: undefined })} leftSection={<IconRefresh size={14} aria-hidden />}>Take up again</Button>
      )}
      {asked?.what === 'cancel' && (
        <Confirm title={`Cancel ${run.job} ${shortId(run.id)}?`} yes="Cancel the run" danger pending={act.isPending} error={act.error} onYes={() => act.mutate(asked)} close={close}>
          It ends here. What its steps did stays, and what it proposed still waits for you.
        </Confirm>
      )}
      {asked?.what === 'retry' && (
        <Confirm title={asked.from === undefined ? 'Take it up again?' : `Repeat from ${asked.from}?`} yes="Take up again" pending={act.isPending} error={act.error} onYes={() => act.mutate(asked)} close={close}>
          {asked.from === undefined ? 'It goes on where it stopped; finished steps are not repeated.' : `The step ${asked.from} and all after it are done again; those before keep what they returned.`}
        </Confirm>
      )}
    </>
  )
}
