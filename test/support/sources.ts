import { randomUUID } from 'node:crypto'
import type { CommandSourceSettings, HttpSourceSettings, SourceSettings } from '../../src/house/index.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/index.ts'
import type { TestDatabase } from './database.ts'

const common = {
  label: { level: 2, integrity: 'untrusted', lanes: ['private'] }, format: 'json', bytes: 100_000, timeoutMs: 5_000, refreshMs: 900_000, maxAgeMs: 28_800_000,
  limits: { hour: 60, day: 500 }, params: [], paramsUpTo: 0, private: true,
} as const

/** A source of the house with its defaults, of a private machine. */
export function httpSource(name: string, url: string, more: Partial<HttpSourceSettings> = {}): HttpSourceSettings {
  return { ...common, kind: 'http', name, url, query: {}, ...more }
}

export function commandSource(name: string, argv: readonly string[], more: Partial<CommandSourceSettings> = {}): CommandSourceSettings {
  return { ...common, kind: 'command', name, argv, network: [{ host: 'api.example.test', port: 443 }], ...more }
}

/** The house that the database knows from now on. */
export async function declareSources(database: TestDatabase, sources: readonly SourceSettings[]): Promise<void> {
  await database.owner.pool.query('update house set current = false')
  await database.owner.pool.query('insert into house (digest, settings, current) values ($1, $2, true)', [randomUUID(), JSON.stringify({ settings: { sources } })])
}

/** A real one. */
export function testSandbox(): Promise<Sandbox> {
  return createSandbox()
}
