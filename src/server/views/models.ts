import { z } from 'zod'

export const upstreamView = z
  .strictObject({
    name: z.string(),
    kind: z.string(),
    zone: z.string(),
    url: z.string(),
    owned: z.boolean().nullable().describe('Of a machine that castellan.yaml says is your own: whether you have signed that. Without it the machine is of the mesh. Null: of no such machine.'),
    state: z.enum(['answers', 'silent', 'not asked']).describe('When its gate last asked it what it has; `not asked`: nobody could.'),
    reason: z.string().nullable().describe('Why it does not answer.'),
    latency_ms: z.number().nullable(),
    models: z.array(z.strictObject({ name: z.string(), zone: z.string(), embedding: z.boolean() })).describe('What it has, each with the zone it really runs in.'),
    resting: z.array(z.strictObject({ model: z.string(), endpoint: z.string(), for_ms: z.int() })).describe('Models that kept failing, or are limited, and are not asked for so long.'),
    routes: z.array(z.strictObject({ task: z.string(), model: z.string() })).describe('The task types that are routed to it.'),
    calls: z.int().describe("Today's."),
    failed: z.int(),
    input_tokens: z.int(),
    output_tokens: z.int(),
    cost_eur: z.number().nullable().describe('Null when the price of one of the calls is not known.'),
  })
  .meta({ id: 'Upstream' })
export type UpstreamView = z.output<typeof upstreamView>
