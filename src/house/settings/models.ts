import { z } from 'zod'
import { zones } from '../../labels/index.ts'
import { batchKeys } from './batch.ts'
import { limitsSchema, routingKeys } from './routing.ts'
import { spendingKeys } from './spending.ts'
import { nameSchema, secretSchema } from './values.ts'

const upstream = z.strictObject({
  kind: z.enum(['ollama', 'openai', 'openai-responses', 'anthropic', 'gemini', 'mistral', 'moonshot']).describe('`ollama`: its own wire; `openai`: anything that speaks /v1/chat/completions; `openai-responses`: what speaks /v1/responses; `anthropic`: what speaks /v1/messages; `gemini`: what speaks /v1beta/models of Google; `mistral` and `moonshot` (Kimi): what they take of OpenAI’s wire.'),
  url: z.url({ protocol: /^https?$/, error: 'the address of a model begins with http:// or https://' }).describe('Where it answers, e.g. http://127.0.0.1:11434.'),
  zone: z.enum(zones).describe('Where the data goes: machine, mesh, cloud or internet. A cloud model behind a local daemon is `cloud`.'),
  own: z.boolean().prefault(false).describe('Says that a machine other than this one is your own. It may see P3 local only once you have signed that: `castellan model own NAME`; until then P2 at most.'),
  key: secretSchema.optional().describe('The key, as the name of a secret. Needed for `zone: cloud`.'),
  limits: limitsSchema.optional(),
})

const target = z.strictObject({
  upstream: nameSchema.describe('One of the upstreams.'),
  model: z.string().min(1).max(200).prefault('auto').describe('Its name there, with the tag. `auto`: the first that the upstream has.'),
})

export const modelsSchema = z
  .strictObject({
    upstreams: z
      .record(nameSchema, upstream)
      .prefault({ ollama: { kind: 'ollama', url: 'http://127.0.0.1:11434', zone: 'machine' } })
      .describe('The places that answer. What may go where follows from label and lane, before any fallback.'),
    routes: z
      .record(nameSchema, z.array(target).min(1))
      .prefault({ default: [{ upstream: 'ollama' }] })
      .describe('For each task type the models to try, in this order. `default` is for the rest.'),
    ...routingKeys,
    ...batchKeys,
    ...spendingKeys,
  })
  .prefault({})
  .describe('Models: where they are and which task goes to which.')
