import { Fault } from '../kernel/fault.ts'
import type { SecretSource } from '../house/index.ts'
import { endReplacement, keepReplaced, type ReplacedDeps } from './replaced-value.ts'
import type { RenderDeps } from './render-secrets.ts'
import { makeValue, toValue } from './secret-value.ts'
import { openSource } from './sources/open-source.ts'
import type { OpenSource } from './sources/source.ts'

export interface RotateDeps extends Omit<RenderDeps, 'dryRun'> {
  /** Asks the operator. */
  type(): Promise<string>
  /** Hands what was noted to the audit, so that it stands there before anything is done. */
  record(): Promise<void>
}

export interface Rotated {
  readonly name: string
  readonly state: 'rotated' | 'undone'
  /** An earlier call died on its way; this one went on with the value that it had. */
  readonly resumed: boolean
  readonly undoUntil: string | null
}

/**
 * Gives a secret a new value, at its source first and then for the processes. The new value is kept beside from the moment that it exists: a program that makes one at a
 * provider cannot be asked for the same again, so who died on the way is followed by one that goes on with it.
 * @throws Fault `secrets.elsewhere`, `secrets.same`, `secrets.readback`
 */
export async function rotateSecret(deps: RotateDeps, source: SecretSource): Promise<Rotated> {
  const { folder } = deps
  const { name } = source
  const place = changeable(deps, source)
  keepReplaced(deps, name)
  const waiting = folder.readOwn(`.next-${name}`)
  const value = waiting ?? (await newValue(deps, source))
  folder.writeOwn(`.next-${name}`, value)
  folder.removeOwn(`.undo-${name}`)
  try {
    const undoUntil = await replace(deps, { name, place, value, act: 'rotate', resumed: waiting !== undefined })
    folder.removeOwn(`.next-${name}`)
    return { name, state: 'rotated', resumed: waiting !== undefined, undoUntil }
  } catch (error) {
    // what was typed or made can be had again
    if (typeof source.by !== 'object' || (error as Fault).code === 'secrets.same') folder.removeOwn(`.next-${name}`)
    throw error
  }
}

/**
 * Puts back what was there before, within a day; what it replaces can be put back in turn. Where a rotation wrote to the source and did not come into force, what was
 * there before is what the processes have still.
 * @throws Fault `secrets.no_undo`
 */
export async function undoRotation(deps: RotateDeps, source: SecretSource): Promise<Rotated> {
  const { folder, records, clock } = deps
  const { name } = source
  keepReplaced(deps, name)
  const until = records.of(name)?.undoUntil
  const waiting = folder.readOwn(`.undo-${name}`)
  const halfway = waiting === undefined ? await replacedHalfway(deps, source) : undefined
  const previous = waiting ?? halfway ?? folder.readOwn(`.previous-${name}`)
  // what was begun in its day is ended whenever
  const isInTime = waiting !== undefined || halfway !== undefined || (until !== undefined && Date.parse(until) > clock.now().getTime())
  if (previous === undefined || !isInTime) {
    throw new Fault('missing', 'secrets.no_undo', `there is no value before that of ${name}: it is kept for a day after \`castellan secrets rotate\``)
  }
  const place = changeable(deps, source)
  folder.writeOwn(`.undo-${name}`, previous)
  folder.removeOwn(`.next-${name}`)
  try {
    const undoUntil = await replace(deps, { name, place, value: previous, act: 'undo', resumed: waiting !== undefined })
    folder.removeOwn(`.undo-${name}`)
    return { name, state: 'undone', resumed: waiting !== undefined, undoUntil: halfway === undefined ? undoUntil : null }
  } catch (error) {
    if ((error as Fault).code === 'secrets.same') folder.removeOwn(`.undo-${name}`)
    throw error
  }
}

/** Forgets values before, when their day is over. */
export function forgetPrevious({ folder, records, clock }: ReplacedDeps): void {
  for (const name of folder.previous()) {
    const record = records.of(name)
    if (record?.undoUntil !== undefined && Date.parse(record.undoUntil) > clock.now().getTime()) continue
    folder.removeOwn(`.previous-${name}`)
    if (record) records.change(name, { ...record, undoUntil: undefined })
  }
}

interface Replacement {
  readonly name: string
  readonly place: OpenSource | undefined
  readonly value: string
  readonly act: 'rotate' | 'undo'
  readonly resumed: boolean
}

async function replace(deps: RotateDeps, { name, place, value, act, resumed }: Replacement): Promise<string | null> {
  const { folder, records, clock, record } = deps
  const there = place ? await place.read() : folder.read(name)
  const inForce = folder.read(name)
  if (there === value && inForce === value && !resumed) throw new Fault('conflict', 'secrets.same', `${name} has this value already; nothing was changed`)
  records.note(act, name, clock.now())
  await record()
  // what the source has may be what a rotation that failed left there; one that was never laid down is known from its source alone
  const before = inForce ?? folder.readOwn(`.before-${name}`) ?? there
  if (before !== undefined && before !== value) folder.writeOwn(`.before-${name}`, before)
  try {
    // one that died had written it there already
    if (place && there !== value) {
      await place.write!(value)
      if ((await place.read()) !== value) throw new Fault('conflict', 'secrets.readback', `${place.place} does not give back what was written to it; look at it there. The processes still have the value before`)
    }
    folder.write(name, value)
  } catch (error) {
    const left = await (place?.read() ?? Promise.resolve(folder.read(name))).catch(() => undefined)
    if (left === before) folder.removeOwn(`.before-${name}`)
    throw error
  }
  endReplacement(deps, name)
  const now = clock.now().toISOString()
  const undoUntil = records.of(name)?.undoUntil
  records.change(name, { changedAt: now, renderedAt: now, rotatedAt: now, ...(undoUntil !== undefined && { undoUntil }) })
  return undoUntil ?? null
}

/** What was in force when a replacement began that changed the source, or may have, and went no further. */
async function replacedHalfway(deps: RotateDeps, source: SecretSource): Promise<string | undefined> {
  const before = deps.folder.readOwn(`.before-${source.name}`)
  if (before === undefined) return undefined
  const place = openSource(source, deps)
  return place && (await place.read()) !== before ? before : undefined
}

/** Undefined: the file under `secrets/` is where it is at home. */
function changeable(deps: RotateDeps, source: SecretSource): OpenSource | undefined {
  const place = openSource(source, deps)
  if (place && !place.write) throw new Fault('refused', 'secrets.elsewhere', `${place.place} cannot be changed from here: ${place.instead}, then run \`castellan secrets render ${source.name}\``)
  return place
}

async function newValue(deps: RotateDeps, { name, by, form }: SecretSource): Promise<string> {
  if (by === 'made') return makeValue(form)
  if (by === 'typed') return toValue(await deps.type(), 'what was typed')
  const [program, ...args] = by.command
  return toValue(await deps.run({ program: program!, args }), `what ${program} made for ${name}`)
}
