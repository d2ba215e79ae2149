import { Fault } from '../kernel/fault.ts'
import type { Clock } from '../kernel/clock.ts'
import type { SecretSource } from '../house/index.ts'
import { endReplacement, type ReplacedDeps } from './replaced-value.ts'
import type { SecretFolder } from './secret-folder.ts'
import type { SecretRecords } from './secret-records.ts'
import { makeValue } from './secret-value.ts'
import { openSource } from './sources/open-source.ts'
import type { SourceDeps } from './sources/source.ts'

export interface RenderDeps extends SourceDeps {
  readonly folder: SecretFolder
  readonly records: SecretRecords
  readonly clock: Clock
  readonly dryRun?: boolean
}

export interface Rendered {
  readonly name: string
  readonly from: SecretSource['from']
  readonly state: 'rendered' | 'unchanged' | 'failed' | 'dry_run'
  /** Why it failed and what to do; never what was read. */
  readonly problem?: { readonly code: string; readonly message: string }
}

const atOnce = 6

/**
 * Fetches each secret from its source, several at the same time, and lays it down for the processes. One that fails leaves its old value as it was, and
 * keeps no other from being fetched. Of each kind of source the first goes ahead, so that a program that asks the operator to unlock it asks him once.
 */
export async function renderSecrets(deps: RenderDeps, sources: readonly SecretSource[]): Promise<Rendered[]> {
  const isFirst = (source: SecretSource) => sources.find(({ from }) => from === source.from) === source
  const done = new Map<SecretSource, Rendered>()
  for (const wave of [sources.filter(isFirst), sources.filter((source) => !isFirst(source))]) {
    const waiting = [...wave]
    await Promise.all(Array.from({ length: atOnce }, async () => {
      for (let source = waiting.shift(); source; source = waiting.shift()) done.set(source, await renderOne(deps, source))
    }))
  }
  return sources.map((source) => done.get(source)!)
}

async function renderOne(deps: RenderDeps, source: SecretSource): Promise<Rendered> {
  const { name, from } = source
  try {
    const value = await fetchValue(deps, source)
    return { name, from, state: deps.dryRun ? 'dry_run' : layDown(deps, name, value) }
  } catch (error) {
    return { name, from, state: 'failed', problem: problemOf(error) }
  }
}

/** Our own words, or the system's about a file; what else was thrown could repeat what it was thrown about. */
export function problemOf(error: unknown): NonNullable<Rendered['problem']> {
  if (error instanceof Fault) return { code: error.code, message: error.message }
  const { syscall, code, path } = error as NodeJS.ErrnoException
  if (syscall !== undefined) return { code: 'secrets.file', message: `${path ?? 'a file'}: ${syscall} failed with ${code}; look at who owns it and whether the disk is full` }
  return { code: 'internal', message: `a defect of Castellan (${(error as Error)?.constructor?.name ?? typeof error}); what it says is not repeated, since it may hold the secret` }
}

/** What we make is made once: afterwards the file is where it is at home. */
async function fetchValue(deps: RenderDeps, source: SecretSource): Promise<string> {
  return (await openSource(source, deps)?.read()) ?? deps.folder.read(source.name) ?? makeValue(source.form)
}

/** The note for the audit comes first, then the value, then what is known of it: who dies in between has at worst noted what the next call does. */
export function layDown(deps: ReplacedDeps, name: string, value: string): 'rendered' | 'unchanged' {
  const { folder, records, clock } = deps
  const now = clock.now().toISOString()
  const known = records.of(name)
  const unchanged = folder.read(name) === value
  if (!unchanged) {
    records.note('render', name, clock.now())
    folder.write(name, value)
  }
  // what a rotation that failed left at the source is in force now
  endReplacement(deps, name)
  records.change(name, { ...records.of(name), changedAt: unchanged && known ? known.changedAt : now, renderedAt: now })
  return unchanged ? 'unchanged' : 'rendered'
}
