import type { Stats } from 'node:fs'
import type { SecretSource } from '../house/index.ts'
import type { SecretRecord } from './secret-records.ts'

export interface SecretState {
  readonly name: string
  readonly state: 'good' | 'due' | 'missing' | 'stored' | 'exposed' | 'unused' | 'unfinished'
  /** `hand`: castellan.yaml does not say where it comes from. */
  readonly from: SecretSource['from'] | 'hand'
  /** Processes that are given it. */
  readonly usedBy: readonly string[]
  readonly changedAt: string | null
  /** Null: nobody is reminded. */
  readonly dueAt: string | null
  readonly undoUntil: string | null
  /** Where the system keeps one that units are given, and that comes before the file of the home. */
  readonly stored: string | null
}

export interface Known {
  readonly sources: readonly SecretSource[]
  /** The names that each process is given. */
  readonly users: ReadonlyMap<string, readonly string[]>
  readonly files: ReadonlyMap<string, Stats>
  /** Whose replacement has not come to its end. */
  readonly unfinished: readonly string[]
  recordOf(name: string): SecretRecord | undefined
  storedAt?(name: string): string | undefined
  /** Those that are never due: another value would be another key. */
  readonly lasting?: readonly string[]
}

/** Secrets that castellan.yaml says nothing of are due after a quarter too. */
const quarterMs = 90 * 86_400_000

/** Every secret that is declared, needed or there. Nothing is read of a file but who may read it and since when it is as it is. */
export function describeSecrets({ sources, users, files, unfinished, recordOf, storedAt = () => undefined, lasting = [] }: Known, now: Date): SecretState[] {
  const names = new Set([...sources.map(({ name }) => name), ...[...users.values()].flat(), ...files.keys()])
  return [...names].sort().map((name) => {
    const source = sources.find((one) => one.name === name)
    const usedBy = [...users].flatMap(([process, held]) => (held.includes(name) ? [process] : []))
    const file = files.get(name)
    const record = recordOf(name)
    const changedAt = file === undefined ? null : (record?.changedAt ?? file.mtime.toISOString())
    const everyMs = source === undefined ? (usedBy.length > 0 && !lasting.includes(name) ? quarterMs : null) : source.everyMs
    const dueAt = changedAt === null || everyMs === null ? null : new Date(Date.parse(changedAt) + everyMs).toISOString()
    const stored = storedAt(name) ?? null
    return {
      name, state: unfinished.includes(name) ? 'unfinished' : stateOf({ file, usedBy, dueAt, stored }, now), stored,
      from: source?.from ?? 'hand', usedBy, changedAt, dueAt, undoUntil: record?.undoUntil && Date.parse(record.undoUntil) > now.getTime() ? record.undoUntil : null,
    }
  })
}

function stateOf({ file, usedBy, dueAt, stored }: { file: Stats | undefined; stored: string | null; usedBy: readonly string[]; dueAt: string | null }, now: Date): SecretState['state'] {
  if (file === undefined) return stored === null ? 'missing' : 'stored'
  if (!file.isFile() || file.mode & 0o077) return 'exposed'
  if (usedBy.length === 0) return 'unused'
  return dueAt !== null && Date.parse(dueAt) <= now.getTime() ? 'due' : 'good'
}
