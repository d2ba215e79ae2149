import { z } from 'zod'
import { filesConnector, gitConnector, githubConnector, httpConnector, limits, shellConnector, telegramConnector, webhookConnector } from './outbound-connectors.ts'
import { caldavConnector, listmonkConnector, mastodonConnector } from './outreach-connectors.ts'
import { durationSchema, kindSchema, nameSchema, pathSchema, patternSchema, secretSchema } from './values.ts'

const fileConnector = z.strictObject({
  kind: z.literal('file').prefault('file').describe('`file`: what is released is written into a folder, and goes no further.'),
  path: pathSchema.describe('Relative to the house, or absolute. No other connector, folder or mailbox may lie there.'),
  from: z
    .string()
    .regex(/^[^\r\n]{1,320}$/, 'a sender is one line')
    .prefault('operator@localhost')
    .describe('The sender that messages show: an address, or `Name <address>`.'),
  limits,
})

const smtpConnector = z.strictObject({
  kind: z.literal('smtp').describe('`smtp`: what is released is handed to a mail server, which carries it to whom it names.'),
  host: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'a host is a name or an address').describe('With `kind: smtp`: the server for submission, e.g. smtp.example.org.'),
  port: z.int().min(1).max(65_535).optional().describe('With `kind: smtp`. Default: 465 for `tls`, 587 for `starttls`, else 25.'),
  security: z
    .enum(['tls', 'starttls', 'none'])
    .prefault('tls')
    .describe('With `kind: smtp`: `tls` from the first byte, `starttls` before anything is said, or `none` for a server on this machine.'),
  user: z.string().regex(/^[^\p{Cc}]{1,320}$/u, 'a user name is one line').optional().describe('With `kind: smtp`: the name to log in with.'),
  password: secretSchema.optional().describe('With `kind: smtp`: the password, as the name of a secret. Most providers want one that is made for an app.'),
  from: z
    .string()
    .regex(/^(?:[^\r\n<>@]{0,200}<[^\s<>@]{1,64}@[^\s<>@]{1,254}>|[^\s<>@]{1,64}@[^\s<>@]{1,254})$/, 'a sender is an address, or `Name <address>`')
    .describe('With `kind: smtp`: the sender that messages show: an address, or `Name <address>`. Replies go there, and reports of what could not be delivered.'),
  ca: pathSchema
    .optional()
    .describe('With `kind: smtp`: a file with the certificate of the authority that vouches for the server, as PEM. For certificates that no public authority signed.'),
  sent: z
    .strictObject({
      account: nameSchema.describe('The mail account, of kind imap.'),
      folder: z.string().regex(/^[^\p{Cc}]{1,300}$/u, 'the name of a folder is one line').prefault('Sent').describe('The folder, as the server writes it.'),
    })
    .optional()
    .describe('With `kind: smtp`: where a copy of what was sent is filed, for servers that do not do so by themselves. As with any mail that was sent, it does not show who was in BCC; the draft does.'),
  limits,
})

const imapConnector = z.strictObject({
  kind: z.literal('imap').describe('`imap`: moves messages of a mailbox and sets their flags.'),
  account: nameSchema.describe('With `kind: imap`: the mail account it works in, of kind imap.'),
  limits,
})

const riskRule = z.strictObject({
  when: z
    .strictObject({
      kind: kindSchema.optional().describe('The kind of act, e.g. mail or mail.move.'),
      connector: nameSchema.optional().describe('The connector it goes through.'),
      keywords: z.array(z.string().min(2).max(100)).min(1).optional().describe('Words in subject or text, without regard to case.'),
      recipients: z.array(patternSchema).min(1).optional().describe('Addresses, with `*` for any characters.'),
    })
    .refine((when) => Object.values(when).some((condition) => condition !== undefined), {
      error: 'a rule without a condition would apply to everything',
      params: { instead: 'name kind, connector, keywords or recipients' },
    })
    .describe('Every condition given must hold; of a list, one entry.'),
  add: z.int().min(1).max(9).describe('Points on top of what the built-in rules give. The sum stays between 1 and 10.'),
  reason: z.string().min(3).max(200).describe('What the operator reads on the card.'),
})

export const outboxSchema = z
  .strictObject({
    sign_origin: z
      .string()
      .max(300)
      .optional()
      .describe('The address of the page on which you sign, as the browser shows it, e.g. https://castellan.example.ts.net. Without it the page is at http://localhost, on the port of `ports.releaser`. HTTPS, unless the name is localhost; then `expose` says what the proxy before it has to show, and without that nobody is answered there.'),
    rp_id: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'a name in lower case, without scheme and port')
      .max(253)
      .optional()
      .describe('The name that passkeys are enrolled for: the host of `sign_origin`, which it is unless said otherwise, or a domain that it is part of. Passkeys enrolled for one name do not work at another.'),
    hold: durationSchema.prefault('10s').describe('How long a signed draft can still be undone.'),
    expiry: z
      .strictObject({
        mail: durationSchema.prefault('72h').describe('For mail.'),
        high_risk: durationSchema.prefault('30m').describe('For a draft with a high risk, whatever its kind.'),
        default: durationSchema.prefault('24h').describe('For the rest.'),
      })
      .prefault({})
      .describe('A draft without a signature by then is denied.'),
    connectors: z
      .record(nameSchema, z.discriminatedUnion('kind', [fileConnector, smtpConnector, imapConnector, webhookConnector, httpConnector, telegramConnector, filesConnector, gitConnector, githubConnector, shellConnector, mastodonConnector, caldavConnector, listmonkConnector]))
      .prefault({ file: { kind: 'file', path: 'outbox' } })
      .describe('The ways out. Each belongs to the releaser alone.'),
    tell: nameSchema
      .optional()
      .describe('The connector by which jobs tell you something (`outbox.tell`): of kind telegram, into a chat with you alone. Without it they tell you nothing, and security alerts stay untold until there is one.'),
    risk: z.array(riskRule).max(200).prefault([]).describe('Your own rules on top of those that are built in. They can only add.'),
  })
  .prefault({})
  .describe('What leaves the house, after you have signed it.')
