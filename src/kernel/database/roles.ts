import pg from 'pg'
import { Fault } from '../fault.ts'
import type { Database } from './connect.ts'

/** One role for each process that talks to the database, and one for what the server listens for at its outer port; what it may do is in 0007_rows_and_rights.sql and queue-schema.ts. */
export const roles = [
  'castellan_server',
  'castellan_worker_open',
  'castellan_worker_private',
  'castellan_gate_local',
  'castellan_gate_cloud',
  'castellan_releaser',
  'castellan_listener',
  'castellan_reader',
] as const
export type Role = (typeof roles)[number]
export type Passwords = Readonly<Record<Role, string>>

/** SQL that makes the roles or gives them these passwords; running it again changes nothing else. For an operator's own PostgreSQL it can be printed. */
export function rolesSql(passwords: Passwords): string {
  return roles
    .map((role) => {
      const password = pg.escapeLiteral(passwords[role])
      return `do $$ begin create role ${role}; exception when duplicate_object or unique_violation then null; end $$;
alter role ${role} with login noinherit nocreatedb nocreaterole password ${password};`
    })
    .join('\n')
}

/** SQL that lets these roles, and nobody else, connect to this database; nobody makes temporary or public objects in it. */
export function databaseGrantsSql(database: string): string {
  const name = pg.escapeIdentifier(database)
  return `revoke all on database ${name} from public;
grant connect on database ${name} to ${roles.join(', ')};
revoke create on schema public from public;`
}

/** Makes the roles and their right to connect. As the owner. @throws Fault `database.role_too_strong` */
export async function ensureRoles(owner: Database, passwords: Passwords): Promise<void> {
  // roles belong to the server, and locks to a database: two databases of one server that are prepared at once can collide
  for (let tries = 1; ; tries++) {
    try {
      return await makeRoles(owner, passwords)
    } catch (error) {
      if ((error as { code?: string }).code !== concurrentlyUpdated || tries === 5) throw error
    }
  }
}

const concurrentlyUpdated = 'XX000'

async function makeRoles(owner: Database, passwords: Passwords): Promise<void> {
  await owner.transaction(async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtext('castellan roles'))`)
    await client.query(rolesSql(passwords))
    const { rows: database } = await client.query<{ name: string }>('select current_database() as name')
    await client.query(databaseGrantsSql(database[0]!.name))
    const { rows } = await client.query<{ role: string }>(
      `select r.rolname as role from pg_roles r where r.rolname = any($1) and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication
         or exists (select 1 from pg_auth_members m where m.member = r.oid))`,
      [roles],
    )
    if (rows.length > 0) {
      const names = rows.map((row) => row.role).join(', ')
      throw new Fault('refused', 'database.role_too_strong', `${names}: this role may do more than Castellan gives it (superuser, bypassrls, replication, or member of another role); take that away, or drop the role`, { roles: names })
    }
  })
}
