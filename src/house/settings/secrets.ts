import { z } from 'zod'
import { formatDuration, parseDuration } from '../duration.ts'
import { pathSchema, secretNameSchema } from './values.ts'

const shortestPeriod = 3_600_000

/** Milliseconds, or null for `never`. */
const periodSchema = z.string().transform((text, context): number | null => {
  if (text === 'never') return null
  try {
    const period = parseDuration(text)
    if (period >= shortestPeriod) return period
    context.addIssue({ code: 'custom', message: `${text} is shorter than ${formatDuration(shortestPeriod)}`, params: { instead: 'write e.g. 90d, or never' } })
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message, params: { instead: 'write e.g. 90d, or never' } })
  }
  return z.NEVER
})

/** Nothing that a program could take for an option of its own. */
const argumentSchema = z.string().regex(/^[^\0\r\n-][^\0\r\n]{0,299}$/, 'it is one line, and does not begin with -')
const keySchema = z.array(z.union([z.string().regex(/^[^\0\r\n"\\[\]]{1,200}$/, 'the name of a key has no quotes, brackets or backslashes'), z.int().min(0)])).min(1).max(20)

const common = {
  rotate_every: periodSchema.prefault('90d').describe('After so long `castellan doctor` and the morning page say that it is due: `90d`, `30d`; `never` says nothing.'),
  rotate_by: z.enum(['typed', 'made']).prefault('typed').describe('Where `castellan secrets rotate` has the new value from: `typed` asks you for it, `made` makes 256 random bits.'),
  rotate_command: z
    .array(z.string().min(1).max(1000).regex(/^[^\0]*$/, 'an argument cannot contain a null byte'))
    .min(1)
    .max(50)
    .optional()
    .describe('A program that makes the new value and prints it, with its arguments, e.g. `[/usr/local/bin/new-smtp-password, shop]`. You run it when you rotate, with your rights. Absolute path.'),
  form: z.enum(['base64url', 'hex', 'whsec']).prefault('base64url').describe('How a made value is written; `whsec` is what webhooks of `kind: standard` are signed with.'),
}

const made = z.strictObject({ from: z.literal('made').describe('`made`: Castellan makes it, and `$CASTELLAN_HOME/secrets` is where it is kept.'), ...common })
const file = z.strictObject({
  from: z.literal('file').describe('`file`: another file, which only you can read.'),
  file: pathSchema.describe('The file that it stands in: relative to the house, absolute, or in your own folder as `~/…`. Encrypted with `sops`, `age` and `ansible-vault`.'),
  ...common,
})
const systemd = z.strictObject({
  from: z.literal('systemd').describe('`systemd`: a credential of the unit that runs `castellan secrets render`.'),
  credential: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/, 'a credential has letters, digits, _ . and -').describe('With `from: systemd`: its name, as in `LoadCredentialEncrypted=NAME`.'),
  ...common,
})
const op = z.strictObject({
  from: z.literal('op').describe('`op`: 1Password, by its program `op`.'),
  reference: z.string().regex(/^op:\/\/[^\0\r\n]{3,300}$/, 'a reference is written op://vault/item/field').describe('With `from: op`: `op://VAULT/ITEM/FIELD`, or with a section before the field.'),
  account: argumentSchema.optional().describe('With `from: op`: the account, where you have several. With `from: keychain`: the account of the entry.'),
  ...common,
})
const sops = z.strictObject({
  from: z.literal('sops').describe('`sops`: one value of a file that `sops` has encrypted.'),
  file: file.shape.file,
  key: keySchema.describe('With `from: sops`: the way to the value, e.g. `[smtp, password]`. With `from: ansible-vault`: the same; left out, the whole content.'),
  age_key_file: pathSchema.optional().describe('With `from: sops`: the file of the age key that opens it, when that is not where sops looks.'),
  ...common,
})
const age = z.strictObject({
  from: z.literal('age').describe('`age`: a file that `age` has encrypted; the whole content is the value.'),
  file: file.shape.file,
  identity: pathSchema.describe('With `from: age`: the file of the key that opens it. It also encrypts what is new, unless `recipients` is given.'),
  recipients: pathSchema.optional().describe('With `from: age`: a file of recipients for whom a new value is encrypted.'),
  ...common,
})
const keychain = z.strictObject({
  from: z.literal('keychain').describe('`keychain`: the keychain of macOS.'),
  service: argumentSchema.describe('With `from: keychain`: the service of the entry.'),
  account: op.shape.account,
  ...common,
})
const vault = z.strictObject({
  from: z.literal('ansible-vault').describe('`ansible-vault`: a file that `ansible-vault` has encrypted.'),
  file: file.shape.file,
  key: sops.shape.key.optional(),
  password_file: pathSchema.optional().describe('With `from: ansible-vault`: the file of its password; left out, you are asked.'),
  ...common,
})

export const secretsSchema = z
  .record(secretNameSchema, z.discriminatedUnion('from', [made, file, op, sops, age, keychain, vault, systemd]))
  .prefault({})
  .describe('Where `castellan secrets render` fetches what `{ secret: NAME }` names. What is not declared here is a file that you put into `$CASTELLAN_HOME/secrets` yourself.')
