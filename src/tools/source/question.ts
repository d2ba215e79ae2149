import { z } from 'zod'
import { parseDuration } from '../../house/index.ts'

export const questionSchema = z.object({
  source: z.string().max(63).describe('its name in castellan.yaml'),
  params: z.record(z.string().max(31), z.union([z.string().max(200), z.int().min(0).transform(String)])).default({}).describe('those that the source declares'),
})

/** As in castellan.yaml: 30m, 8h. */
export const ageSchema = z.string().transform((text, context) => {
  try {
    return parseDuration(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'an age is a number and a unit, e.g. 30m or 8h' })
    return z.NEVER
  }
})

export const agedSchema = z.object({
  source: z.string(),
  fetchedAt: z.string().describe('ISO 8601: when it was asked for'),
  ageSeconds: z.int(),
})

/** What every answer says of its age; a clock that went back makes nothing younger than now. */
export function aged({ source, fetchedAt, ageMs }: { readonly source: string; readonly fetchedAt: Date; readonly ageMs: number }): z.output<typeof agedSchema> {
  return { source, fetchedAt: fetchedAt.toISOString(), ageSeconds: Math.max(0, Math.round(ageMs / 1_000)) }
}
