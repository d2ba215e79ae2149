import { z } from 'zod'

const name = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/)

export const secretActs = z.strictObject({
  acts: z.array(z.strictObject({ id: z.uuid(), act: z.enum(['render', 'rotate', 'undo']), name, at: z.iso.datetime() })).min(1).max(200),
})
export const secretNames = z.strictObject({ names: z.array(name).min(1).max(200) })

export const recordedActs = z.strictObject({ state: z.literal('recorded'), ids: z.array(z.uuid()) }).meta({ id: 'RecordedActs' })
export type RecordedActs = z.output<typeof recordedActs>

export const takenSecrets = z
  .strictObject({
    state: z.literal('taken'),
    restarted: z.array(z.string()).describe('Processes that were started anew and have the value.'),
    pending: z.array(z.string()).describe('Processes that hold it and have not come back yet: `castellan status` says how they are.'),
    needs_start: z.boolean().describe('`up` itself joins its database by one of them: only `castellan down && castellan up` takes that.'),
  })
  .meta({ id: 'TakenSecrets' })
export type TakenSecrets = z.output<typeof takenSecrets>
