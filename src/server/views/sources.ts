import { z } from 'zod'
import { labelView, time } from './label.ts'

export const sourceView = z
  .strictObject({
    name: z.string(),
    kind: z.enum(['http', 'command']),
    label: labelView,
    state: z.enum(['fresh', 'stale', 'never']).describe('Of its newest snapshot: younger or older than `max_age`, or there is none.'),
    fetched_at: time.nullable().describe('When the newest snapshot was asked for.'),
    max_age_seconds: z.int(),
    today: z.strictObject({ fetched: z.int(), failed: z.int(), refused: z.int(), bytes: z.int() }).describe('Of the last 24 hours.'),
    last: z.strictObject({ state: z.enum(['fetched', 'failed', 'refused']), reason: z.string().nullable(), status: z.int().nullable(), at: time }).nullable().describe('The last time that it was asked for.'),
    refused_hosts: z.array(z.string()).describe('Where its command was not let in the last 24 hours, as it wrote it.'),
  })
  .meta({ id: 'Source' })
export type SourceView = z.output<typeof sourceView>

export const sourcesView = z
  .strictObject({ reading: z.boolean().describe('Is there a reader? It starts with Castellan, where a source is declared.'), sources: z.array(sourceView) })
  .meta({ id: 'Sources' })
export type SourcesView = z.output<typeof sourcesView>
