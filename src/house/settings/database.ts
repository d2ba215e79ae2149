import { z } from 'zod'
import { secretSchema } from './values.ts'

const url = z.union([z.string().regex(/^postgres(?:ql)?:\/\//, 'a database URL begins with postgresql://'), secretSchema])

/** One database user each: what separates the processes is that their users differ. */
const urls = z.strictObject({
  owner: url.describe('Migrates, makes roles and queues; only `castellan up` uses it.'),
  server: url.describe('The dashboard and the CLI.'),
  releaser: url.describe('Freezes, decides, sends, seals.'),
  gate_local: url.describe('The gate for local models.'),
  gate_cloud: url.describe('The gate for cloud models.'),
  worker_open: url.describe('Sees only rows that a cloud model may see.'),
  worker_private: url.describe('Sees all rows.'),
  listener: url.optional().describe('Stores what webhooks deliver, and sees nothing. Needed when one is declared.'),
  reader: url.optional().describe('Stores what sources answer, and sees nothing. Needed when one is declared.'),
})

export const databaseSchema = z
  .union([
    z.literal('embedded'),
    z.strictObject({
      urls: urls.describe('One URL per role, without passwords, or `{ secret: NAME }`.'),
      zone: z.literal('machine').describe('Where the database stands. It holds everything, so it has to be a machine of your own, and you have to say so.'),
    }),
  ])
  .prefault('embedded')
  .describe('`embedded`: a PostgreSQL of its own in $CASTELLAN_HOME. Otherwise one connection URL per role and the zone.')
