import type { Clock } from '../kernel/clock.ts'
import type { SecretFolder } from './secret-folder.ts'
import type { SecretRecords } from './secret-records.ts'

export interface ReplacedDeps {
  readonly folder: SecretFolder
  readonly records: SecretRecords
  readonly clock: Clock
}

const undoMs = 86_400_000

/**
 * Makes what was in force before a replacement the value to go back to, once another is in force, and not before: a replacement that fails leaves the one before as
 * it was. Each line can be the last of a process; the next call finds the same and goes on.
 */
export function keepReplaced({ folder, records, clock }: ReplacedDeps, name: string): void {
  const before = folder.readOwn(`.before-${name}`)
  const inForce = folder.read(name)
  if (before === undefined || inForce === undefined || inForce === before) return
  const now = clock.now()
  const known = records.of(name) ?? { changedAt: now.toISOString(), renderedAt: now.toISOString() }
  records.change(name, { ...known, undoUntil: new Date(now.getTime() + undoMs).toISOString() })
  folder.writeOwn(`.previous-${name}`, before)
  folder.removeOwn(`.before-${name}`)
}

/** The source and the processes have the same again. */
export function endReplacement(deps: ReplacedDeps, name: string): void {
  keepReplaced(deps, name)
  if (deps.folder.readOwn(`.before-${name}`) !== undefined) deps.folder.removeOwn(`.before-${name}`)
}
