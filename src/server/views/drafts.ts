import { z } from 'zod'
import { labelView, time } from './label.ts'

export const draftState = z
  .enum(['waiting', 'signed', 'held', 'releasing', 'released', 'failed', 'unknown', 'denied', 'expired', 'undone', 'replaced'])
  .meta({ id: 'DraftState' })

export const draftLine = z
  .strictObject({
    id: z.uuid(),
    kind: z.string(),
    connector: z.string(),
    account: z.string(),
    state: draftState,
    reason: z.string().nullable(),
    risk: z.int(),
    job: z.string().describe('`operator`, without a run: an act of yours.'),
    run: z.uuid().nullable(),
    label: labelView,
    frozen_at: time,
    expires_at: time,
    hold_until: time.nullable(),
    closed_at: time.nullable(),
    sign_url: z.url().describe('Where it is shown and signed: a page of the releaser, on an origin of its own.'),
  })
  .meta({ id: 'DraftLine', description: 'As much of a draft as the server may know: never what it says or to whom.' })
export type DraftLine = z.output<typeof draftLine>

export const draftDetail = draftLine
  .extend({
    proposal: z.uuid(),
    replaces: z.uuid().nullable().describe('The draft that this one is an edit of.'),
    replaced_by: z.uuid().nullable(),
    decisions: z.array(z.strictObject({ verdict: z.enum(['approve', 'deny', 'undo']), key: z.string().nullable(), decided_at: time })),
    delivery: z
      .strictObject({ state: z.enum(['attempting', 'delivered', 'failed', 'unknown']), started_at: time, closed_at: time.nullable() })
      .nullable(),
  })
  .meta({ id: 'DraftDetail' })
export type DraftDetail = z.output<typeof draftDetail>
