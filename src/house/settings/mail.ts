import { z } from 'zod'
import { lanesSchema, levelSchema, nameSchema, pathSchema } from './values.ts'

const account = z.strictObject({
  kind: z.enum(['folder']).prefault('folder').describe('`folder`: a folder of .eml files.'),
  path: pathSchema.describe('Relative to the house, or absolute.'),
  lanes: lanesSchema.prefault(['private']).describe('The lanes that its messages belong to.'),
  label: levelSchema.prefault('P2').describe('The level of a message; rules of labels.yaml and detectors raise it. Mail is always untrusted.'),
})

export const mailSchema = z
  .strictObject({ accounts: z.record(nameSchema, account).prefault({}).describe('Mailboxes, by name.') })
  .prefault({})
  .describe('Mail that comes in.')
