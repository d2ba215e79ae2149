import { nextFires } from '../house/index.ts'

export interface Schedule {
  readonly cron: string
  readonly timezone: string
}

/** What a job does about slots that passed while nobody could run them. */
export type MissedPolicy = 'skip' | 'latest' | 'all'

export interface DueSlots {
  /** Oldest first. */
  readonly run: readonly Date[]
  readonly missed: readonly Date[]
  /** The newest slot looked at; the next look starts behind it. Undefined when nothing was due. */
  readonly upTo: Date | undefined
}

/** A tick looks at no more slots than this; what is left is found by the next one. */
const slotsPerLook = 2_000

/** The slots of all schedules in (after, until], in order, each once. */
export function slotsBetween(schedules: readonly Schedule[], after: Date, until: Date): Date[] {
  const slots = new Set<number>()
  for (const { cron, timezone } of schedules) {
    let cursor = after
    for (let found = 0; found < slotsPerLook; ) {
      const fires = nextFires(cron, timezone, cursor, 64).filter((fire) => fire <= until)
      for (const fire of fires) slots.add(fire.getTime())
      found += fires.length
      if (fires.length < 64) break
      cursor = fires.at(-1)!
    }
  }
  return [...slots].sort((a, b) => a - b).slice(0, slotsPerLook).map((time) => new Date(time))
}

/** Divides due slots into those to run and those that were missed: later than `graceMs` is missed, and the policy decides. */
export function divideDue(slots: readonly Date[], now: Date, policy: MissedPolicy, graceMs: number): DueSlots {
  const late = (slot: Date) => now.getTime() - slot.getTime() > graceMs
  const punctual = slots.filter((slot) => !late(slot))
  const tardy = slots.filter(late)
  const caughtUp = policy === 'all' ? tardy : policy === 'latest' && punctual.length === 0 ? tardy.slice(-1) : []
  return {
    run: [...caughtUp, ...punctual],
    missed: tardy.slice(0, tardy.length - caughtUp.length),
    upTo: slots.at(-1),
  }
}
