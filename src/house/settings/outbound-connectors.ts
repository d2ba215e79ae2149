import { z } from 'zod'
import { durationSchema, nameSchema, pathSchema, patternSchema, secretSchema } from './values.ts'

const most = { hour: z.int().min(1).max(100_000), day: z.int().min(1).max(1_000_000) }
const hour = 'At most so many in any hour.'
const day = 'At most so many in any 24 hours.'
const room = 'How much may leave through it. What is signed beyond that is held until there is room, and says so; as its signature does not outlast its deadline, it fails when there is none by then.'

export const limits = z.strictObject({ hour: most.hour.optional().describe(hour), day: most.day.optional().describe(day) }).optional().describe(room)

/** For what goes out to many, or makes work for others: it has limits whether somebody thought of them or not. */
export function limitsUnlessSaid(kind: string, usual: { readonly hour: number; readonly day: number }) {
  const of = `With \`kind: ${kind}\`, as with others:`
  return z.strictObject({ hour: most.hour.prefault(usual.hour).describe(`${of} at most so many in any hour.`), day: most.day.prefault(usual.day).describe(`${of} at most so many in any 24 hours.`) }).prefault({}).describe(room)
}

/** Printable ASCII without what ends a host or hides one. */
export const address = (what: string) => z.string().max(2_000).regex(/^https?:\/\/[a-z0-9.:[\]-]+(?:\/[\x21-\x7e]*)?$/, `${what}, in small letters, without a user, and what is not ASCII percent-encoded`)
export const ofPrivate = (kind: string) =>
  z.boolean().prefault(false).describe(`With \`kind: ${kind}\`: \`true\` if it is a machine of your own network, or this one. Otherwise a name that leads there is refused.`)
export const ca = (kind: string) => pathSchema.optional().describe(`With \`kind: ${kind}\`: as with \`smtp\`.`)

export const webhookConnector = z.strictObject({
  kind: z.literal('webhook').describe('`webhook`: posts JSON to one address, signed by the rules of Standard Webhooks.'),
  url: address('an address is e.g. https://hooks.example.org/house').describe('With `kind: webhook`: where to. https, but for a private machine. Everybody who sees a draft sees it.'),
  secret: secretSchema.describe('With `kind: webhook`: what its receiver tells our notices by, `whsec_` and base64, as the name of a secret.'),
  private: ofPrivate('webhook'),
  ca: ca('webhook'),
  limits,
})

export const httpConnector = z.strictObject({
  kind: z.literal('http').describe('`http`: makes requests to one host.'),
  url: address('an address is e.g. https://api.example.org/v1').describe('With `kind: http`: what every request begins with. https, but for a private machine.'),
  methods: z.array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])).min(1).describe('With `kind: http`: what may be asked.'),
  credential: z
    .strictObject({
      header: z.string().regex(/^[a-z0-9-]{1,100}$/, 'the name of a header is in small letters').prefault('authorization').describe('The header that the releaser fills.'),
      prefix: z.string().regex(/^[\x20-\x7e]{0,100}$/, 'it is one line of ASCII').prefault('Bearer ').describe('What stands before the secret.'),
      secret: secretSchema.shape.secret.describe('The name of the secret.'),
    })
    .optional()
    .describe('With `kind: http`: a header that no draft shows and only the releaser fills.'),
  spends: z
    .strictObject({
      amount: z.string().regex(/^(?:\/[^/]*)+$/, 'a JSON pointer begins with /, e.g. /amount').describe('Where the body says how much, as a JSON pointer.'),
      per: z.number().int().positive().prefault(100).describe('How many of it are one unit of money: 100 for cents.'),
      currency: z.string().regex(/^(?:[A-Z]{3}|(?:\/[^/]*)+)$/, 'it is three capital letters, or a JSON pointer').prefault('EUR').describe('Of which currency, or where the body says so, as a JSON pointer.'),
    })
    .optional()
    .describe('With `kind: http`: that its requests spend money. More than EUR 10, another currency, or what cannot be read, takes the passkey itself.'),
  private: ofPrivate('http'),
  ca: ca('http'),
  limits,
})

export const telegramConnector = z.strictObject({
  kind: z.literal('telegram').describe('`telegram`: sends messages into one chat, by a bot.'),
  chat: z
    .string()
    .regex(/^(?:-?[1-9]\d{0,14}|@[A-Za-z][A-Za-z0-9_]{3,31})$/, 'a chat is a number in quotes, or the @name of a channel')
    .describe('With `kind: telegram`: the number of the chat, in quotes, or the @name of a channel. The bot has to be in it.'),
  token: secretSchema.describe('With `kind: telegram`: what BotFather gave you, as the name of a secret.'),
  api: address('an address is e.g. https://api.telegram.org').prefault('https://api.telegram.org').describe('With `kind: telegram`: where the Bot API is, if you run a server of your own.'),
  private: ofPrivate('telegram'),
  ca: ca('telegram'),
  limits,
})

export const filesConnector = z.strictObject({
  kind: z.literal('files').describe('`files`: deletes and moves files of folders that tools may write to; what is deleted goes into `.castellan-trash` there.'),
  folders: z.array(nameSchema).min(1).max(50).describe('With `kind: files`: the folders, by their names under `folders`.'),
  limits,
})

export const gitConnector = z.strictObject({
  kind: z.literal('git').describe('`git`: pushes one commit to one branch of a repository elsewhere.'),
  repository: pathSchema.describe('With `kind: git`: the repository in which the commits are made. Of it only the objects are read.'),
  remote: z
    .string()
    .max(2_000)
    .regex(/^(?:\/[^\p{Cc}"\\]*|https?:\/\/[a-z0-9.:[\]-]+\/[\x21-\x7e]+)$/u, 'a remote is an absolute path, or an address as https://git.example.org/site.git, without a user')
    .describe('With `kind: git`: where to. https, but for a private machine.'),
  branches: z.array(patternSchema).min(1).max(100).describe('With `kind: git`: the branches that may be pushed to, with `*` for any characters, e.g. agent/*.'),
  user: z.string().regex(/^[^\p{Cc}:]{1,320}$/u, 'a user name is one line without a colon').optional().describe('With `kind: git`: the name to log in with.'),
  password: secretSchema.optional().describe('With `kind: git`: the password or token, as the name of a secret.'),
  private: ofPrivate('git'),
  ca: ca('git'),
  limits: limitsUnlessSaid('git', { hour: 100, day: 100 }),
})

export const githubConnector = z.strictObject({
  kind: z.literal('github').describe('`github`: opens pull requests in one repository, at GitHub or a forge that speaks its API.'),
  repository: z.string().regex(/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/, 'a repository is written owner/name').describe('With `kind: github`: owner/name.'),
  bases: z.array(patternSchema).min(1).max(20).prefault(['main']).describe('With `kind: github`: the branches that something may be asked into, with `*` for any characters.'),
  token: secretSchema.describe('With `kind: github`: a token that may read the contents and write pull requests, as the name of a secret.'),
  api: address('an address is e.g. https://api.github.com').prefault('https://api.github.com').describe('With `kind: github`: where the API is.'),
  private: ofPrivate('github'),
  ca: ca('github'),
  limits: limitsUnlessSaid('github', { hour: 10, day: 10 }),
})

const longestCommand = 60_000

export const shellConnector = z.strictObject({
  kind: z.literal('shell').describe('`shell`: runs one signed command in a folder that tools may write to, on a copy of it in a sandbox without network and credentials. What takes something away is tried out when it is frozen.'),
  folders: z.array(nameSchema).min(1).max(50).describe('With `kind: shell`: the folders, by their names under `folders`. A command runs in one of them, and can change nothing else.'),
  allow: z.array(pathSchema).min(1).max(100).describe('With `kind: shell`: the programs, as absolute paths, or files of the house such as scripts/tidy.sh. Never a shell.'),
  timeout: durationSchema.refine((milliseconds) => milliseconds >= 1_000 && milliseconds <= longestCommand, 'a command has between 1s and 60s').prefault('30s').describe('With `kind: shell`: how long a command may take, 60s at most.'),
  limits,
})
