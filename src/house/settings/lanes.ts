import { z } from 'zod'
import { clearanceSchema, nameSchema } from './values.ts'

const lane = z.strictObject({
  worker: z
    .enum(['open', 'private'])
    .prefault('private')
    .describe('Which worker executes its runs. `open` may use cloud models and is given only what they may see.'),
  cloud_clearance: clearanceSchema
    .prefault('none')
    .describe('The highest level that may reach a cloud model: `none`, P0 or P1. P2 takes your signature, for one provider: `castellan lane clear`.'),
  providers: z
    .array(nameSchema)
    .optional()
    .describe('The upstreams that this lane allows. Left out: those on this machine. `[]`: none.'),
  redact: z
    .boolean()
    .prefault(false)
    .describe('Whether gate local may take names, addresses, numbers and the like out of a call and hand the rest on to a cloud model, as one level lower. Never for P3 local only.'),
})

export const lanesSectionSchema = z
  .record(nameSchema, lane)
  .prefault({ private: { worker: 'private', cloud_clearance: 'none' }, open: { worker: 'open', cloud_clearance: 'P1' } })
  .describe('Streams of work with their own rules. What has passed through two lanes obeys both. `private` and `house` always exist.')
