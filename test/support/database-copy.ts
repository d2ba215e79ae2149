import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../../src/kernel/database/connect.ts'
import type { TestDatabase } from './database.ts'

/** Keeps a whole copy of the database as it is now. @returns what puts that copy in its place, as an operator does who restores a dump; once */
export async function databaseCopy({ name, owner, as, connection }: TestDatabase): Promise<() => Promise<void>> {
  const copy = `${name}_copy`
  const { rows } = await owner.pool.query<{ role: string }>(`select rolname as role from pg_roles where has_database_privilege(rolname, current_database(), 'connect') and rolname like 'castellan\\_%'`)
  const root = () => connect({ ...connection('castellan_owner'), database: 'postgres' }, { max: 1, application: 'test support' })
  const alone = async (work: (query: (text: string) => Promise<unknown>) => Promise<void>) => {
    const database = root()
    await database.pool.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [name])
    await work((text) => database.pool.query(text))
    await database.close()
    // pools hear that their connections are gone a moment later
    for (const pool of [owner.pool, as('castellan_releaser').pool]) while (!(await pool.query('select 1').then(() => true, () => false))) await delay(10)
  }
  await alone(async (query) => void (await query(`create database ${copy} template ${name} strategy file_copy`)))
  return () => alone(async (query) => {
    await query(`drop database ${name} with (force)`)
    await query(`alter database ${copy} rename to ${name}`)
    await query(`revoke all on database ${name} from public`)
    await query(`grant connect on database ${name} to ${rows.map(({ role }) => role).join(', ')}`)
  })
}
