import { z } from 'zod'
import { address, ca, limitsUnlessSaid, ofPrivate } from './outbound-connectors.ts'
import { patternSchema, secretSchema } from './values.ts'

export const caldavConnector = z.strictObject({
  kind: z.literal('caldav').describe('`caldav`: makes, changes and deletes events of one calendar.'),
  calendar: address('an address is e.g. https://dav.example.org/house/work/').describe('With `kind: caldav`: the calendar itself. https, but for a private machine.'),
  user: z.string().regex(/^[^\p{Cc}:]{1,320}$/u, 'a user name is one line without a colon').describe('With `kind: caldav`: the name to log in with.'),
  password: secretSchema.describe('With `kind: caldav`: the password, as the name of a secret. Most providers want one that is made for an app.'),
  organizer: z
    .string()
    .regex(/^(?:[^\r\n<>@"]{0,200}<[^\s<>@]{1,64}@[^\s<>@]{1,254}>|[^\s<>@]{1,64}@[^\s<>@]{1,254})$/, 'an address, or `Name <address>`')
    .optional()
    .describe('With `kind: caldav`: your address, in whose name others are invited: an address, or `Name <address>`. Without it no event has attendees.'),
  private: ofPrivate('caldav'),
  ca: ca('caldav'),
  limits: limitsUnlessSaid('caldav', { hour: 60, day: 300 }),
})

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

export const listmonkConnector = z.strictObject({
  kind: z.literal('listmonk').describe('`listmonk`: mails newsletters to lists of a listmonk.'),
  url: address('an address is e.g. https://lists.example.org').describe('With `kind: listmonk`: where it is, without /api. https, but for a private machine.'),
  user: z.string().regex(/^[^\p{Cc}:]{1,320}$/u, 'a user name is one line without a colon').describe('With `kind: listmonk`: the name of its API user.'),
  token: secretSchema.describe('With `kind: listmonk`: the token of its API user, who may see lists and manage campaigns, as the name of a secret.'),
  from: z
    .string()
    .regex(/^(?:[^\r\n<>@"]{0,200}<[^\s<>@]{1,64}@[^\s<>@]{1,254}>|[^\s<>@]{1,64}@[^\s<>@]{1,254})$/, 'a sender is an address, or `Name <address>`')
    .describe('With `kind: listmonk`: the sender that newsletters show: an address, or `Name <address>`.'),
  lists: z.array(patternSchema).min(1).max(100).describe('With `kind: listmonk`: the lists that may be mailed to, by their names, with `*` for any characters.'),
  template: z.int().min(1).max(1_000_000).optional().describe('With `kind: listmonk`: the number of the template that newsletters are put into. Default: the one that is usual there.'),
  private: ofPrivate('listmonk'),
  ca: ca('listmonk'),
  limits: limitsUnlessSaid('listmonk', { hour: 2, day: 5 }),
})
