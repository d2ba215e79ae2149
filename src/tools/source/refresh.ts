import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { aged, agedSchema, ageSchema, questionSchema } from './question.ts'

export const sourceRefresh = defineTool({
  name: 'source.refresh',
  summary: 'Have the reader ask a source, unless its snapshot is young enough; what it answered is read with source.read',
  effect: 'read',
  input: questionSchema.extend({
    maxAge: ageSchema.optional().describe('e.g. 5m: a younger snapshot is good enough; as `refresh` of the source unless said otherwise'),
  }).strict(),
  output: z.object({
    source: z.string(),
    fetched: z.boolean().describe('false: the snapshot was young enough'),
    snapshot: agedSchema.extend({ bytes: z.int() }).nullable().describe('null where the run may not read it'),
  }),
  async run({ sources }, { source, params, maxAge }) {
    const { fetched, snapshot } = await sources.refresh({ source, params }, maxAge)
    return { source, fetched, snapshot: snapshot ? { ...aged(snapshot), bytes: snapshot.body.length } : null }
  },
})
