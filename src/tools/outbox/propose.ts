import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { defineTool } from '../define-tool.ts'

const key = z.string().min(1).max(200).describe('names the item in this step; taken from the input, so that a repeated step finds its first proposal')
const address = z.string().min(3).max(400).describe('eva@example.org or Eva <eva@example.org>')

/** A closed form for each kind of act: what is not in it cannot be proposed. */
const mailSchema = z.strictObject({
  key,
  kind: z.literal('mail'),
  to: z.array(address).min(1).max(100),
  cc: z.array(address).max(100).optional(),
  bcc: z.array(address).max(100).optional(),
  subject: z.string().max(500),
  text: z.string().max(1024 * 1024),
  inReplyTo: z.string().max(1_000).nullish().describe('the Message-ID that it answers'),
  references: z.array(z.string().max(1_000)).max(100).optional(),
})

const message = z.uuid().describe('the id of a message of mail.list')
const flagName = z.string().min(1).max(50).describe('seen, flagged, answered, or a keyword of your own')

const moveSchema = z.strictObject({ key, kind: z.literal('mail.move'), message, to: z.string().min(1).max(300).describe('the folder, as the server writes it') })
const flagSchema = z.strictObject({ key, kind: z.literal('mail.flag'), message, add: z.array(flagName).max(20).optional(), remove: z.array(flagName).max(20).optional() })

const object = z.record(z.string(), z.json())
const webhookSchema = z.strictObject({ key, kind: z.literal('webhook'), body: object.describe('sent as JSON') })
const requestSchema = z.strictObject({
  key,
  kind: z.literal('http.request'),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z.string().min(1).max(4_001).describe('below the address of the connector, with its query'),
  headers: z.record(z.string().max(100), z.string().max(2_000)).optional(),
  body: z.union([z.string().max(512 * 1024), object]).nullish(),
})
const telegramSchema = z.strictObject({ key, kind: z.literal('telegram.message'), text: z.string().min(1).max(4_096), parseMode: z.enum(['MarkdownV2', 'HTML']).nullish() })
const path = z.string().min(1).max(1_000).describe('in the folder, with /')
const folder = z.string().min(1).max(63).describe('a folder of castellan.yaml that the connector is for')
const deleteSchema = z.strictObject({ key, kind: z.literal('files.delete'), folder, paths: z.array(path).min(1).max(1_000).describe('files, and folders with all that is in them') })
const filesMoveSchema = z.strictObject({ key, kind: z.literal('files.move'), folder, moves: z.array(z.strictObject({ from: path, to: path })).min(1).max(1_000) })
const pushSchema = z.strictObject({
  key,
  kind: z.literal('git.push'),
  branch: z.string().min(1).max(200).describe('its name, e.g. agent/fix-typo'),
  commit: z.string().regex(/^[0-9a-f]{40}$/, 'a commit is named in full, by 40 hex digits'),
})
const pullSchema = z.strictObject({
  key,
  kind: z.literal('pull.open'),
  head: z.string().min(1).max(200).describe('the branch with the changes, which is there already'),
  base: z.string().min(1).max(200).describe('the branch that they are for'),
  title: z.string().min(1).max(250),
  body: z.string().max(60_000).optional(),
})

const shellSchema = z.strictObject({
  key,
  kind: z.literal('shell.act'),
  folder,
  argv: z.array(z.string().max(4_000)).min(1).max(200).describe('the absolute path of the program, then its arguments; never shell text'),
  cwd: z.string().max(1_000).optional().describe('where in the folder it is run'),
})

export const proposedSchema = z.object({ proposed: z.array(z.object({ id: z.uuid(), key: z.string(), fresh: z.boolean() })) })

export const outboxPropose = defineTool({
  name: 'outbox.propose',
  summary: 'Propose acts that leave the house; each waits for the signature of the operator',
  effect: 'propose',
  input: z.strictObject({
    connector: z.string().min(1).describe('a connector of castellan.yaml'),
    proposals: z.array(z.discriminatedUnion('kind', [mailSchema, moveSchema, flagSchema, webhookSchema, requestSchema, telegramSchema, deleteSchema, filesMoveSchema, pushSchema, pullSchema, shellSchema])).max(200),
  }),
  output: proposedSchema,
  async run({ proposals: outbox, signal }, { connector, proposals }) {
    const repeated = proposals.find((one, index) => proposals.findIndex((other) => other.key === one.key) !== index)
    if (repeated) throw new Fault('invalid', 'outbox.key', `two of the proposals have the key ${JSON.stringify(repeated.key)}; the second would be taken for the first`)
    const proposed = []
    for (const { key: item, kind, ...payload } of proposals) {
      signal.throwIfAborted()
      proposed.push(await outbox.open({ key: item, kind, connector, payload }))
    }
    return { proposed }
  },
})
