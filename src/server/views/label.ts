import { z } from 'zod'

/** Times are ISO 8601 in UTC, as they stand in the JSON. */
export const time = z.iso.datetime()

export const labelView = z
  .strictObject({
    level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
    integrity: z.enum(['trusted', 'untrusted']),
    lanes: z.array(z.string()),
    word: z.string().describe('The level with its word, e.g. `P2 internal`.'),
  })
  .meta({ id: 'Label' })
export type LabelView = z.output<typeof labelView>

export const errorView = z
  .strictObject({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).optional() })
  .meta({ id: 'Error' })
export type ErrorView = z.output<typeof errorView>
