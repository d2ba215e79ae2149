import { z } from 'zod'
import { durationSchema, nameSchema, pathSchema, patternSchema } from './values.ts'

const connector = z.strictObject({
  kind: z.enum(['file']).prefault('file').describe('`file`: what is released is written into a folder, and goes no further.'),
  path: pathSchema.describe('Relative to the house, or absolute. No other connector, folder or mailbox may lie there.'),
  from: z
    .string()
    .regex(/^[^\r\n]{1,320}$/, 'a sender is one line')
    .prefault('operator@localhost')
    .describe('The sender that messages show: an address, or `Name <address>`.'),
})

const riskRule = z.strictObject({
  when: z
    .strictObject({
      kind: nameSchema.optional().describe('The kind of act, e.g. mail.'),
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
      .describe('The address of the page on which you sign, as the browser shows it, e.g. https://castellan.example.ts.net. Without it the page is at http://localhost, on the port of `ports.releaser`. HTTPS, unless the name is localhost.'),
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
      .record(nameSchema, connector)
      .prefault({ file: { kind: 'file', path: 'outbox' } })
      .describe('The ways out. Each belongs to the releaser alone.'),
    risk: z.array(riskRule).max(200).prefault([]).describe('Your own rules on top of those that are built in. They can only add.'),
  })
  .prefault({})
  .describe('What leaves the house, after you have signed it.')
