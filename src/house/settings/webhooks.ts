import { z } from 'zod'
import { lanesSchema, levelSchema, nameSchema, secretSchema } from './values.ts'

/** A type, or all that begin as written before a `*` at the end. */
export const eventPatternSchema = z
  .string()
  .regex(/^(?:[A-Za-z0-9][A-Za-z0-9._:/-]{0,98}\*?|\*)$/, 'the type of an event has letters, digits and . _ : / -, and may end in *')

const common = {
  secrets: z
    .array(secretSchema)
    .min(1)
    .max(5)
    .describe('By which a delivery is known to be genuine: the signing secrets as the sender shows them; with `kind: gumroad` the last part of the path. Several while one is being replaced by another: each of them counts.'),
  label: levelSchema.prefault('P2').describe('The level of an event. What a stranger sent is always untrusted, signed or not.'),
  lanes: lanesSchema.prefault(['private']).describe('The lanes that its events belong to.'),
  events: z.array(eventPatternSchema).max(100).prefault([]).describe('The types that are taken in, e.g. `push` or `invoice.*`; others are answered and forgotten. Left out: all.'),
  kilobytes: z.int().min(1).max(7_000).prefault(256).describe('The largest body that is read.'),
  per_minute: z.int().min(1).max(10_000).prefault(120).describe('Deliveries that are looked at within a minute, good and bad together; more are told to come again.'),
}

const standard = z.strictObject({
  kind: z.literal('standard').describe('`standard`: signed as Standard Webhooks has it (`whsec_…`), by `webhook-id`, `webhook-timestamp` and `webhook-signature`.'),
  ...common,
})
const stripe = z.strictObject({
  kind: z.literal('stripe').describe('`stripe`: signed by `Stripe-Signature`.'),
  ...common,
})
const github = z.strictObject({
  kind: z.literal('github').describe('`github`: signed by `X-Hub-Signature-256`; the content type must be application/json.'),
  ...common,
})
const gumroad = z.strictObject({
  kind: z.literal('gumroad').describe('`gumroad`: not signed. The path ends in a secret, and the sale is fetched from Gumroad before it is believed.'),
  token: secretSchema.describe('With `kind: gumroad`: the access token by which sales are read (scope `view_sales`, no other), as the name of a secret.'),
  api: z
    .url({ protocol: /^https?$/, error: 'the address of an API begins with https://' })
    .prefault('https://api.gumroad.com')
    .describe('With `kind: gumroad`: where its API is.'),
  ...common,
})

export const webhooksSchema = z
  .record(nameSchema, z.discriminatedUnion('kind', [standard, stripe, github, gumroad]))
  .prefault({})
  .describe('Events that other services deliver to `POST /hooks/NAME` on the port of `ports.webhooks`. None unless it is declared here.')
