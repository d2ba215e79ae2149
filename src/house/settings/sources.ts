import { z } from 'zod'
import { durationSchema, lanesSchema, levelSchema, nameSchema, pathSchema, secretSchema } from './values.ts'

/** Begins like a word: what begins with a dash would be an option of a command. */
const valueSchema = z.string().max(200).regex(/^[A-Za-z0-9_][\x20-\x7e]*$/, 'a value is one line of ASCII that begins with a letter, a digit or _')

const parameter = z
  .strictObject({
    values: z.array(valueSchema).min(1).max(100).optional().describe('The values that may be asked for.'),
    form: z.enum(['id', 'date', 'number']).optional().describe('Instead of `values`: `id` (letters, digits and `. _ @ -`, at most 100), `date` (2026-11-20) or `number` (digits). Only jobs of a lane with `worker: open` can say such a one.'),
  })
  .refine((one) => (one.values === undefined) !== (one.form === undefined), { error: 'a parameter has values or a form', params: { instead: 'write values: [open, won], or form: id' } })

const credential = {
  secret: secretSchema.shape.secret.describe('The name of the secret. It must only be able to read, and no other part of the house may use it; another source may, if it reaches the same hosts and no other.'),
}

const common = {
  params: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,30}$/, 'the name of a parameter has small letters, digits and _'), parameter).prefault({}).describe('What a job may say when it asks: nothing else leaves. Each stands as `{name}` somewhere in the declaration.'),
  params_up_to: z.enum(['P0', 'P1']).transform((word) => Number(word[1]) as 0 | 1).prefault('P0').describe('The highest label of a run that may say what parameters are: the other side reads them. A source without parameters can be asked by any run.'),
  format: z.enum(['json', 'text', 'bytes']).prefault('json').describe('What an answer is; one that is something else replaces nothing.'),
  label: levelSchema.prefault('P2').describe('The level of what is read. It is always untrusted.'),
  lanes: lanesSchema.prefault(['private']).describe('The lanes that it belongs to.'),
  refresh: durationSchema.prefault('15m').describe('A snapshot that is younger is not asked for anew.'),
  max_age: durationSchema.prefault('8h').describe('`source.read` refuses a snapshot that is older, unless its step says another age, or `stale: allow`.'),
  kilobytes: z.int().min(1).max(5_000).prefault(1_024).describe('The largest answer.'),
  timeout: durationSchema.refine((value) => value >= 1_000 && value <= 600_000, { error: 'a timeout lies between 1s and 10m' }).prefault('30s').describe('How long an answer may take.'),
  limits: z
    .strictObject({
      hour: z.int().min(1).max(10_000).prefault(60).describe('At most so many in any hour.'),
      day: z.int().min(1).max(100_000).prefault(500).describe('At most so many in any 24 hours.'),
    })
    .prefault({})
    .describe('How often it is asked, whoever wants it.'),
  private: z.boolean().prefault(false).describe('`true` if it is a machine of your own network, or this one. Otherwise a name that leads there is refused.'),
}

const http = z.strictObject({
  kind: z.literal('http').describe('`http`: one GET. Redirects are not followed.'),
  url: z
    .string()
    .max(2_000)
    .regex(/^https?:\/\/[a-z0-9.:[\]-]+(?:\/[\x21-\x7e]*)?$/, 'an address is e.g. https://api.example.org/v1/leads/{stage}, with a host in small letters, without a user, and what is not ASCII percent-encoded')
    .describe('With `kind: http`: the address. https, but for a private machine.'),
  query: z.record(z.string().regex(/^[A-Za-z0-9_.[\]-]{1,100}$/, 'the name of a part of a query has letters, digits and . _ [ ] -'), z.string().max(500)).prefault({}).describe('With `kind: http`: what stands behind the `?`, not encoded.'),
  credential: z
    .strictObject({
      header: z.string().regex(/^[a-z0-9-]{1,100}$/, 'the name of a header is in small letters').prefault('authorization').describe('The header that the reader fills.'),
      prefix: z.string().regex(/^[\x20-\x7e]{0,100}$/, 'it is one line of ASCII').prefault('Bearer ').describe('What stands before the secret.'),
      ...credential,
    })
    .optional()
    .describe('With `kind: http`: a header that only the reader fills.'),
  ca: pathSchema.optional().describe('With `kind: http`: a file with the certificate of the authority that vouches for the server, as PEM.'),
  ...common,
})

const command = z.strictObject({
  kind: z.literal('command').describe('`command`: a program in a sandbox of its own, which reaches `network` and nothing else. Its standard output is the answer. That it only reads is your word: look what its credential may do.'),
  argv: z.array(z.string().min(1).max(1_000)).min(1).max(100).describe('With `kind: command`: the absolute path of the program, then its arguments, never shell text. Never a shell.'),
  network: z
    .array(z.string().regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?:(?:[1-9]\d{0,4})$/, 'a destination is a host by its name and a port, e.g. api.example.org:443'))
    .min(1)
    .max(20)
    .describe('With `kind: command`: the hosts and ports that it may reach, in TLS, e.g. `api.example.org:443`. Names only, without `*`.'),
  credential: z
    .strictObject({
      env: z.string().regex(/^[A-Z][A-Z0-9_]{0,60}$/, 'the name of a variable is in capital letters').prefault('CREDENTIAL_FILE').describe('The variable that says in which file the secret is.'),
      ...credential,
    })
    .optional()
    .describe('With `kind: command`: a secret that the command finds in a file of its own.'),
  ...common,
})

export const sourcesSchema = z
  .record(nameSchema, z.discriminatedUnion('kind', [http, command]))
  .prefault({})
  .describe('What is read from outside, by a process of its own that can send nothing. Jobs read the snapshots by `source.read` and ask for new ones by `source.refresh`.')
