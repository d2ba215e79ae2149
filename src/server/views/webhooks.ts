import { z } from 'zod'
import { labelView, time } from './label.ts'

export const webhookView = z
  .strictObject({
    name: z.string(),
    kind: z.enum(['standard', 'stripe', 'github', 'gumroad']),
    state: z.enum(['listening', 'not_listening', 'broken']),
    problems: z.array(z.string()).describe('Why nothing can be delivered to it.'),
    path: z.string().describe('Of the port for webhooks; SECRET stands for the secret of the path.'),
    secrets: z.array(z.string()).describe('Their names.'),
    label: labelView,
    events: z.array(z.string()).describe('The types that are taken in; none: all.'),
    jobs: z.array(z.string()).describe('The jobs that its events start.'),
    today: z
      .strictObject({ stored: z.int(), replayed: z.int(), unwanted: z.int(), refused: z.int(), reasons: z.record(z.string(), z.int()) })
      .describe('Deliveries since midnight in UTC; `reasons` are those of refusals.'),
    waiting: z.int().describe('Runs that are still to be opened.'),
    last_at: time.nullable().describe('When an event was taken in last.'),
  })
  .meta({ id: 'Webhook' })
export type WebhookView = z.output<typeof webhookView>

export const webhooksView = z
  .strictObject({
    port: z.int().nullable().describe('Null: nothing listens.'),
    webhooks: z.array(webhookView),
    unknown: z.int().describe('Deliveries since midnight in UTC to names that are not declared.'),
  })
  .meta({ id: 'Webhooks' })
export type WebhooksView = z.output<typeof webhooksView>
