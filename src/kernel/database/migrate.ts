import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PoolClient } from 'pg'
import { Fault } from '../fault.ts'
import type { Database } from './connect.ts'

export interface Migration {
  readonly version: number
  readonly file: string
  readonly sql: string
  readonly digest: string
  /** The lowest newest-known version that a program needs to work with the schema from here on. */
  readonly minApp: number
}

export interface MigrateOptions {
  readonly migrations?: readonly Migration[]
  /** Awaited once before anything changes in a database that holds data; a backup hangs on it. A throw stops the migration. */
  readonly beforeMigration?: (change: { from: number; to: number }) => Promise<void>
}

interface Applied {
  readonly version: number
  readonly file: string
  readonly digest: string
  readonly min_app: number
}

const folder = join(import.meta.dirname, 'migrations')
const undefinedTable = '42P01'

/** The numbered SQL files. A file that older programs can live with says so in a line `-- min_app: N`; otherwise they are refused from it on. */
export function readMigrations(from: string = folder): Migration[] {
  const migrations = readdirSync(from)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const sql = readFileSync(join(from, file), 'utf8')
      const version = Number.parseInt(file, 10)
      const stated = /^-- min_app: (\d+)$/m.exec(sql)
      return { version, file, sql, digest: digestOf(sql), minApp: stated ? Number(stated[1]) : version }
    })
  migrations.forEach(({ version, file }, index) => {
    if (version !== index + 1) throw new Fault('internal', 'database.migration_order', `${file} should have number ${index + 1}`)
  })
  return migrations
}

/** Brings the schema to this program's version: one transaction a file, one migrating process at a time. As the owner. @throws Fault */
export async function migrate(owner: Database, options: MigrateOptions = {}): Promise<{ from: number; to: number }> {
  const migrations = options.migrations ?? readMigrations()
  const to = migrations.at(-1)?.version ?? 0
  const client = await owner.pool.connect()
  try {
    await client.query(`select pg_advisory_lock(hashtext('castellan migrate'))`)
    await prepareMeta(client)
    const applied = await readApplied(client)
    const pending = comparePlan(migrations, applied)
    const from = applied.at(-1)?.version ?? 0
    if (pending.length > 0 && from > 0) await options.beforeMigration?.({ from, to })
    for (const migration of pending) await apply(client, migration)
    return { from, to: Math.max(from, to) }
  } finally {
    // closing the session frees the lock and whatever a failed file left behind
    client.release(true)
  }
}

/** Refuses when the schema is not one that this program, which knows versions up to `newest`, can work with. For every process, as any role. @throws Fault */
export async function checkSchema(database: Database, newest: number = newestVersion()): Promise<void> {
  const { version, min_app } = await readMeta(database)
  if (min_app > newest) throw newer(version, newest)
  if (version < newest) {
    throw new Fault('unavailable', 'database.not_migrated', `the database has schema ${version}, this program needs ${newest}; \`castellan up\` brings it there`, { version, newest })
  }
}

/** The newest schema that this program knows. What a running program knows does not change with what is put on the disk later. */
export function newestVersion(): number {
  return (known ??= readdirSync(folder).filter((file) => file.endsWith('.sql')).length)
}
let known: number | undefined

/** A database that was never migrated has version 0. */
async function readMeta(database: Database): Promise<{ version: number; min_app: number }> {
  try {
    const { rows } = await database.pool.query<{ version: number; min_app: number }>(
      'select coalesce(max(version), 0) as version, coalesce(max(min_app), 0) as min_app from schema_meta',
    )
    return rows[0]!
  } catch (error) {
    if ((error as { code?: string }).code !== undefinedTable) throw error
    return { version: 0, min_app: 0 }
  }
}

function digestOf(sql: string): string {
  return createHash('sha256').update(sql).digest('hex')
}

async function prepareMeta(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ exists: boolean }>(
    `select exists (select 1 from pg_tables where schemaname = 'castellan') and to_regclass('castellan.schema_meta') is null as exists`,
  )
  if (rows[0]!.exists) {
    throw new Fault('refused', 'database.foreign_schema', 'there is a schema "castellan" in this database that Castellan did not make; give Castellan a database of its own')
  }
  await client.query(`
    create schema if not exists castellan;
    create table if not exists castellan.schema_meta (
      version    integer primary key,
      file       text not null,
      digest     text not null,
      min_app    integer not null,
      applied_at timestamptz not null default clock_timestamp()
    )`)
}

async function readApplied(client: PoolClient): Promise<Applied[]> {
  const { rows } = await client.query<Applied>('select version, file, digest, min_app from castellan.schema_meta order by version')
  return rows
}

/** What is still to be applied; refuses a history that is not ours. */
function comparePlan(migrations: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const newest = migrations.at(-1)?.version ?? 0
  const recorded = new Map(applied.map((row) => [row.version, row]))
  for (const row of applied) {
    if (row.min_app > newest) throw newer(applied.at(-1)!.version, newest)
    const ours = migrations[row.version - 1]
    if (ours !== undefined && ours.digest !== row.digest) {
      throw new Fault('conflict', 'database.migration_changed', `migration ${row.file} was changed after it had been applied to this database; run the Castellan that applied it, or restore a backup into a new home`, {
        version: row.version,
        recorded: row.digest,
        ours: ours.digest,
      })
    }
  }
  return migrations.filter(({ version }) => !recorded.has(version))
}

function newer(version: number, newest: number): Fault {
  return new Fault('refused', 'database.newer', `the database was written by a newer Castellan (schema ${version}; this one knows ${newest}); install that version again, or restore a backup from before it`, { version, newest })
}

async function apply(client: PoolClient, { version, file, sql, digest, minApp }: Migration): Promise<void> {
  try {
    await client.query('begin')
    await client.query(sql)
    await client.query('insert into castellan.schema_meta (version, file, digest, min_app) values ($1, $2, $3, $4)', [version, file, digest, minApp])
    await client.query('commit')
  } catch (error) {
    const { message, position, where } = error as Error & { position?: string; where?: string }
    const line = position === undefined ? undefined : sql.slice(0, Number(position)).split('\n').length
    throw new Fault('internal', 'database.migration_failed', `migration ${file}${line === undefined ? '' : ` failed at line ${line}`}: ${message}; the database stays at the version before it`, { file, line, where }, error)
  }
}
