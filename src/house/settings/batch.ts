import { z } from 'zod'
import type { DayHours } from './settings.ts'

const clockTime = String.raw`(?:[01]\d|2[0-3]):[0-5]\d`
const span = new RegExp(`^(${clockTime})-(${clockTime})$`)

/** Kept as minutes from midnight. */
const hoursSchema = z.string().transform((text, context): DayHours => {
  const [, from, to] = span.exec(text) ?? []
  if (from !== undefined && to !== undefined && from !== to) return { from: minutesOf(from), to: minutesOf(to) }
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not a part of the day`, params: { instead: 'write from when until when, e.g. "22:00-06:00"; leave it out for the whole day' } })
  return z.NEVER
})

/** The keys of `models` that say how batches are worked on. */
export const batchKeys = {
  batch: z
    .strictObject({
      concurrent: z.int().min(1).max(100).prefault(2).describe('Lines that a gate asks at the same time.'),
      hours: hoursSchema.optional().describe('Only then, in the time zone of the house, e.g. `"22:00-06:00"`. Left out: at any time.'),
    })
    .prefault({})
    .describe('Batches, which programs with a key send in as files and fetch a day later at the latest. Their lines give way to calls that wait for the limits of the same upstream.'),
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number)
  return hours! * 60 + minutes!
}
