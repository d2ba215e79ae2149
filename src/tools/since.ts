import { z } from 'zod'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'
import { parseDuration } from '../house/index.ts'

/** A span back from now (`24h`, `7d`) or a moment (`2026-11-20T06:00:00Z`). */
export const sinceSchema = z.string().max(40).describe('a span back from now, e.g. 24h or 7d, or a moment, e.g. 2026-11-20T06:00:00Z')

/** The moment that a `since` names. */
export function momentOf(since: string, clock: Clock): Date {
  const moment = /^\d{4}-/.test(since) ? new Date(since) : new Date(clock.now().getTime() - durationOf(since))
  if (Number.isNaN(moment.getTime())) throw bad(since)
  return moment
}

function durationOf(since: string): number {
  try {
    return parseDuration(since)
  } catch (error) {
    throw bad(since, error)
  }
}

function bad(since: string, cause?: unknown): Fault {
  return new Fault('invalid', 'tool.since', `${JSON.stringify(since)} is neither a span nor a moment; write e.g. 24h, 7d or 2026-11-20T06:00:00Z`, {}, cause)
}
