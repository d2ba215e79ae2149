import { z } from 'zod'
import { defineTool } from '../define-tool.ts'

export const webhookRead = defineTool({
  name: 'webhook.read',
  summary: 'Read one event that a webhook took in',
  effect: 'read',
  input: z.strictObject({ id: z.uuid().describe('as the run got it: {{ input.event.id }}') }),
  output: z.object({
    id: z.uuid(), webhook: z.string(), eventId: z.string(), type: z.string(), receivedAt: z.string().describe('ISO 8601'),
    payload: z.unknown().describe('the JSON that was sent'),
  }),
  async run({ events }, { id }) {
    const event = await events.read(id)
    return { ...event, receivedAt: event.receivedAt.toISOString() }
  },
})
