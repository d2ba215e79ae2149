import { z } from 'zod'
import { address, ca, limitsUnlessSaid, ofPrivate } from './outbound-connectors.ts'
import { secretSchema } from './values.ts'

export const mastodonConnector = z.strictObject({
  kind: z.literal('mastodon').describe('`mastodon`: posts as one account of a Mastodon server, or of another that speaks its API.'),
  instance: address('an address is e.g. https://social.example').describe('With `kind: mastodon`: where the server is.'),
  account: z
    .string()
    .regex(/^[a-z0-9_](?:[a-z0-9_.-]{0,58}[a-z0-9_])?$/i, 'an account is its name without @ and without the server')
    .describe('With `kind: mastodon`: the name of the account, without @. A token of another account posts nothing.'),
  token: secretSchema.describe('With `kind: mastodon`: an access token that may read accounts and statuses and write statuses, as the name of a secret.'),
  private: ofPrivate('mastodon'),
  ca: ca('mastodon'),
  limits: limitsUnlessSaid('mastodon', { hour: 10, day: 300 }),
})
