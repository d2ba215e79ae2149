import { z } from 'zod'
import { zones } from '../../labels/index.ts'
import { secretSchema } from './values.ts'

export const telemetrySchema = z
  .strictObject({
    traces: z
      .strictObject({
        url: z.url({ protocol: /^https?$/, error: 'the address of an exporter begins with http:// or https://' }).describe('Where spans are sent as OTLP over HTTP, e.g. http://127.0.0.1:4318/v1/traces, or /api/public/otel/v1/traces of Langfuse.'),
        zone: z.enum(zones).describe('Where that is. A call is only told there if its label may go there: all to this machine, up to P2 within the mesh, what its lanes let a cloud see to a cloud, P0 to the internet.'),
        content: z.boolean().prefault(false).describe('Send what was asked and answered too, not only who, how long and how much.'),
        authorization: secretSchema.optional().describe('The value of the Authorization header, as the name of a secret; `Basic …` for Langfuse.'),
      })
      .optional()
      .describe('Traces of model calls, by the semantic conventions of OpenTelemetry for generative AI. Left out: none.'),
  })
  .prefault({})
  .describe('Who is told how things go. Metrics for Prometheus are always at /metrics of each gate.')
