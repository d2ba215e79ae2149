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
  output: agedSchema.extend({ fetched: z.boolean().describe('false: the snapshot was young enough'), bytes: z.int() }),
  async run({ sources }, { source, params, maxAge }) {
    const { fetched, snapshot } = await sources.refresh({ source, params }, maxAge)
    return { ...aged(snapshot), fetched, bytes: snapshot.body.length }
  },
})
