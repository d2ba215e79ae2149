import { z } from 'zod'
import { isTimezone } from '../cron.ts'
import { databaseSchema } from './database.ts'
import { exposeSchema } from './expose.ts'
import { foldersSchema } from './folders.ts'
import { lanesSectionSchema } from './lanes.ts'
import { mailSchema } from './mail.ts'
import { modelsSchema } from './models.ts'
import { outboxSchema } from './outbox.ts'
import { portsSchema } from './ports.ts'
import { retentionSchema } from './retention.ts'
import { secretsSchema } from './secrets.ts'
import { shellSchema } from './shell.ts'
import { sourcesSchema } from './sources.ts'
import { telemetrySchema } from './telemetry.ts'
import { webhooksSchema } from './webhooks.ts'

/** An IANA zone, e.g. Europe/Berlin. */
export const timezoneSchema = z.string().refine(isTimezone, { error: 'there is no such time zone', params: { instead: 'write an IANA name, e.g. Europe/Berlin or UTC' } })

/** castellan.yaml. Every key has a default; an unknown key is an error. */
export const castellanSchema = z.strictObject({
  name: z.string().min(1).max(100).prefault('My back office').describe('What the pages call the house.'),
  timezone: timezoneSchema.prefault('UTC').describe('For schedules that name none, e.g. Europe/Berlin.'),
  ports: portsSchema,
  database: databaseSchema,
  isolation: z
    .strictObject({
      accept_demonstration: z
        .boolean()
        .prefault(false)
        .describe('Under one shared user id the processes are not kept apart. Only `true` lets connectors other than `file`, mailboxes on servers, and sources, work even so.'),
    })
    .prefault({})
    .describe('How far the processes are kept apart.'),
  lanes: lanesSectionSchema,
  models: modelsSchema,
  folders: foldersSchema,
  mail: mailSchema,
  webhooks: webhooksSchema,
  secrets: secretsSchema,
  outbox: outboxSchema,
  expose: exposeSchema,
  shell: shellSchema,
  sources: sourcesSchema,
  retention: retentionSchema,
  telemetry: telemetrySchema,
})

export type CastellanFile = z.output<typeof castellanSchema>
