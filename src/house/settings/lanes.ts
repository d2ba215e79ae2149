import { z } from 'zod'
import { clearanceSchema, nameSchema } from './values.ts'

const lane = z.strictObject({
  worker: z
    .enum(['open', 'private'])
    .prefault('private')
    .describe('Which worker executes its runs. `open` may use cloud models and is given only what they may see.'),
  cloud_clearance: clearanceSchema
    .prefault('none')
    .describe('The highest level that may reach a cloud model: `none`, P0, P1, or P2 where a contract allows it.'),
  providers: z
    .array(nameSchema)
    .optional()
    .describe('The upstreams that this lane allows. Left out: those on this machine. `[]`: none.'),
})

export const lanesSectionSchema = z
  .record(nameSchema, lane)
  .prefault({ private: { worker: 'private', cloud_clearance: 'none' }, open: { worker: 'open', cloud_clearance: 'P1' } })
  .describe('Streams of work with their own rules. What has passed through two lanes obeys both. `private` and `house` always exist.')
