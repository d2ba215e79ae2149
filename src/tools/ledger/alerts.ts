import { z } from 'zod'
import { wordsOf } from '../../health/index.ts'
import { defineTool } from '../define-tool.ts'
import { momentOf, sinceSchema } from '../since.ts'

const moment = z.string().describe('ISO 8601')

export const ledgerAlerts = defineTool({
  name: 'ledger.alerts',
  summary: 'List the security alerts, the gravest first: what was seen, how often, and what to do',
  effect: 'read',
  input: z.strictObject({
    since: sinceSchema.default('24h').describe('of those that are over, the ones that were seen since; a span as 24h or 7d, or a moment'),
    alerts: z.array(z.uuid()).max(1_000).nullish().describe('only these, as the input of a run names them that alerts started'),
    limit: z.int().min(1).max(1_000).default(200),
  }),
  output: z.object({
    count: z.int(),
    alerts: z.array(z.object({
      id: z.uuid(), kind: z.string(), level: z.enum(['critical', 'warning', 'info']), state: z.enum(['open', 'acknowledged', 'closed']),
      subject: z.string().describe('what it is about, by a name of the house'), what: z.string(), mend: z.string().describe('what to do'),
      count: z.int().describe('how often it was seen since it opened'), timesOpened: z.int(), openedAt: moment, lastSeen: moment, closedAt: moment.nullable(),
    })),
  }),
  async run({ ledger, clock }, { since, alerts: ids, limit }) {
    const rows = await ledger.alerts({ since: momentOf(since, clock), limit, ids: ids ?? undefined })
    const alerts = rows.map((row) => ({
      ...row, ...wordsOf(row.kind, row.subject), openedAt: row.openedAt.toISOString(), lastSeen: row.lastSeen.toISOString(), closedAt: row.closedAt?.toISOString() ?? null,
    }))
    return { count: alerts.length, alerts }
  },
})
