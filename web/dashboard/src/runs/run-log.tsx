import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { logQuery } from '../api/queries.ts'
import { revealLog } from '../api/requests.ts'
import type { LogLine } from '../api/views.ts'
import { sentenceOf } from '../api/api-problem.ts'
import { Section } from '../parts/section.tsx'
import { LogLines } from './log-lines.tsx'

/** What the steps logged, with what was withheld once it was asked for. */
export function useRunLog(id: string) {
  const { data = [], error } = useQuery(logQuery(id))
  const reveal = useMutation({ mutationFn: () => revealLog(id), gcTime: 0 })
  const lines: readonly LogLine[] = reveal.data ?? data
  return { lines, error, reveal }
}

/** The log of the whole run; each step also has its own. */
export function RunLog({ log: { lines, error, reveal } }: { log: ReturnType<typeof useRunLog> }) {
  if (error !== null) return <Section title="Log"><p className="soft">{sentenceOf(error)}</p></Section>
  if (lines.length === 0) return null
  return (
    <Section
      title="Log" count={lines.length}
      aside={lines.some(({ withheld }) => withheld) && <Button size="compact-xs" variant="subtle" color="gray" loading={reveal.isPending} onClick={() => reveal.mutate()}>Reveal what is P3</Button>}
    >
      <LogLines lines={lines} steps />
    </Section>
  )
}
