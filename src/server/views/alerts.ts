import { z } from 'zod'
import { time } from './label.ts'

const level = z.enum(['critical', 'warning', 'info'])

export const securityAlert = z
  .strictObject({
    id: z.uuid(),
    kind: z.string().describe('As `castellan alerts list` names it, e.g. `signin.failed`.'),
    level,
    state: z.enum(['open', 'acknowledged', 'closed']),
    subject: z.string().describe('The door, role, process, connector or job that it is about.'),
    what: z.string(),
    mend: z.string().describe('What to do.'),
    code: z.string().nullable().describe('The stable code of the newest, where there is one.'),
    count: z.int().describe('How often since it was opened.'),
    times_opened: z.int(),
    first_seen: time,
    last_seen: time,
    acknowledged_at: time.nullable(),
    closed_at: time.nullable(),
  })
  .meta({ id: 'SecurityAlert', description: 'Something that somebody should look at. It closes by itself when it is over, a critical one once it was acknowledged.' })
export type SecurityAlert = z.output<typeof securityAlert>

export const alertCounts = z
  .strictObject({ critical: z.int(), warning: z.int(), info: z.int() })
  .meta({ id: 'AlertCounts', description: 'Security alerts that nobody has acknowledged.' })
export type AlertCounts = z.output<typeof alertCounts>

export const acknowledgedAlert = z.strictObject({ id: z.uuid(), state: z.enum(['acknowledged', 'closed']) })
