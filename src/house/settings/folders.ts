import { z } from 'zod'
import { lanesSchema, levelSchema, nameSchema, pathSchema } from './values.ts'

const folder = z.strictObject({
  path: pathSchema.describe('Relative to the house, or absolute.'),
  access: z.enum(['read', 'write']).prefault('read').describe('`write` lets tools make and replace files.'),
  label: levelSchema.prefault('P2').describe('The level of what is read there; labels.yaml can say more about parts of it.'),
  integrity: z.enum(['trusted', 'untrusted']).prefault('trusted').describe('`untrusted`: a stranger could have written what lies there, e.g. downloads.'),
  lanes: lanesSchema.prefault([]).describe('The lanes it belongs to. Without one, P2 and above belong to the lane `house`.'),
})

export const foldersSchema = z
  .record(nameSchema, folder)
  .prefault({ vault: { path: 'vault', access: 'read', label: 'P2' }, briefs: { path: 'briefs', access: 'write', label: 'P2' } })
  .describe('The folders that tools may touch, by name. Nothing else on the disk exists for them.')
