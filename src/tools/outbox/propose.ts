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

const socialSchema = z.strictObject({
  key,
  kind: z.literal('social.post'),
  text: z.string().min(1).max(20_000).describe('as long as the server allows'),
  visibility: z.enum(['public', 'unlisted', 'private', 'direct']).describe('private: for followers; direct: for those that it mentions'),
  language: z.string().regex(/^[a-z]{2,3}$/, 'a language is a code of two or three letters').nullish(),
  spoiler: z.string().min(1).max(500).nullish().describe('the warning that it stands behind'),
  replyTo: z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'a post is named by its id at the server').nullish(),
})

const newsletterSchema = z.strictObject({
  key,
  kind: z.literal('newsletter.send'),
  subject: z.string().min(1).max(250),
  lists: z.array(z.string().min(1).max(200)).min(1).max(20).describe('by their names'),
  text: z.string().min(1).max(200_000).describe('Markdown, with a link to {{ UnsubscribeURL }}'),
})

const moment = z.string().max(16).describe('2026-03-02T10:00 in the zone, or a whole day, 2026-03-02; of whole days the end is the last one')
const eventFields = {
  title: z.string().min(1).max(200),
  start: moment,
  end: moment,
  zone: z.string().min(1).max(64).nullish().describe('e.g. Europe/Berlin, or UTC; whole days have none'),
  place: z.string().min(1).max(300).nullish(),
  text: z.string().max(8_000).nullish(),
  attendees: z.array(address).max(50).optional().describe('a server may mail them invitations'),
  reminder: z.int().min(0).max(40_320).nullish().describe('minutes before it begins'),
  repeat: z
    .strictObject({ every: z.enum(['day', 'week', 'month', 'year']), interval: z.int().min(1).max(99).optional(), times: z.int().min(2).max(500).optional(), until: z.string().max(10).optional() })
    .nullish()
    .describe('with an end: how many times in all, or until which day'),
}
const resource = z.string().min(1).max(250).describe('the name of its resource in the calendar, as the receipt names it')
const eventCreateSchema = z.strictObject({ key, kind: z.literal('calendar.create'), ...eventFields })
const eventChangeSchema = z.strictObject({ key, kind: z.literal('calendar.change'), event: resource, ...eventFields })
const eventDeleteSchema = z.strictObject({ key, kind: z.literal('calendar.delete'), event: resource })

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
    proposals: z.array(z.discriminatedUnion('kind', [mailSchema, moveSchema, flagSchema, webhookSchema, requestSchema, telegramSchema, deleteSchema, filesMoveSchema, pushSchema, pullSchema, shellSchema, socialSchema, newsletterSchema, eventCreateSchema, eventChangeSchema, eventDeleteSchema])).max(200),
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
