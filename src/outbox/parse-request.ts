import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'

/** @throws Fault `request.invalid` that says what is wrong */
export function parseRequest<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value ?? {})
  if (!parsed.success) throw new Fault('invalid', 'request.invalid', z.prettifyError(parsed.error))
  return parsed.data
}
