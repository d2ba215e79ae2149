import { z } from 'zod'
import { errorView } from './label.ts'

/** The one envelope of everything that succeeded. */
export function answer<T extends z.ZodType>(data: T) {
  return z.strictObject({ ok: z.literal(true), data })
}

/** The one envelope of everything that did not. */
export const failureView = z.strictObject({ ok: z.literal(false), error: errorView }).meta({ id: 'Failure' })
