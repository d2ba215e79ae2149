import type { Database } from '../../src/kernel/database/connect.ts'
import type { ProcessName } from '../../src/processes/boot.ts'
import { got, stopped, type Attack, type Family, type Outcome } from './attack.ts'
import type { Field } from './field.ts'

type Login = ProcessName | 'listener'

/** All but the releaser, which may send by what it is, and cannot forge a signature. */
const logins: readonly Login[] = ['worker-open', 'worker-private', 'gate-local', 'gate-cloud', 'server', 'reader', 'listener']

interface Column { readonly name: string; readonly type: string }
interface Try { readonly what: string; readonly sql: string }

/** What rows say that must not change by anybody's hand but the releaser's and the definer functions': states of what leaves, labels, lanes, clearances, the record. */
const held = `
  select 'draft' as what, id::text as id, 0 as level, md5(jsonb_build_array(state, document, sha256(wire), nonce, label_level, expires_at)::text) as said from draft
  union all select 'decision', id::text, 0, md5(jsonb_build_array(verdict, key_id, signature)::text) from decision
  union all select 'proposal', id::text, label_level, md5(jsonb_build_array(md5(payload::text), connector)::text) from proposal
  union all select 'lane', name, 0, md5(to_jsonb(lane)::text) from lane
  union all select 'clearance', id::text, 0, md5(to_jsonb(clearance)::text) from clearance
  union all select 'run', id::text, label_level, '' from run
  union all select 'step', run_id::text || id, label_level, '' from step
  union all select 'mail', id::text, label_level, '' from mail_message
  union all select 'file', encode(hash, 'hex'), label_level, '' from file_label
  union all select 'client_key', id::text, max_level, md5(jsonb_build_array(gate, lane, revoked_at)::text) from client_key
  union all select 'job', digest, 0, md5(definition::text) from job_definition
  union all select 'audit', id::text, label_level, md5(jsonb_build_array(kind, subject, detail)::text) from audit_event`

/** With the login of each process, straight at the database: every table of the catalog, in every way that there is to write. */
export function roles(field: Field): Family {
  const { owner, roleOf } = field
  let asItWas: Map<string, { level: number; said: string }> | undefined

  async function rowsHeld(): Promise<Map<string, { level: number; said: string }>> {
    const { rows } = await owner.pool.query<{ what: string; id: string; level: number; said: string }>(held)
    return new Map(rows.map(({ what, id, level, said }) => [`${what} ${id}`, { level, said }]))
  }

  /** Nothing that was there is another now, nothing is lower, and no draft, decision, lane or clearance is there that was not. */
  async function worsened(before: Map<string, { level: number; said: string }>): Promise<string | undefined> {
    const after = await rowsHeld()
    for (const [id, was] of before) {
      const is = after.get(id)
      if (is === undefined) return `${id} is gone`
      if (is.level < was.level) return `${id} fell from P${was.level} to P${is.level}`
      if (is.said !== was.said) return `${id} says something else`
    }
    return [...after.keys()].find((id) => /^(draft|decision|lane|clearance|client_key|job) /.test(id) && !before.has(id))
  }

  async function tryAll(database: Database, tries: readonly Try[]): Promise<Outcome> {
    const before = (asItWas ??= await rowsHeld())
    const ends = new Map<string, string[]>()
    for (const { what, sql } of tries) {
      const end = await database.transaction(async (client) => {
        await client.query(`set local lock_timeout = '1s'; set local statement_timeout = '5s'`)
        return `${(await client.query(sql)).rowCount ?? 0} rows`
      }).catch((error: { code?: string; message: string; constraint?: string }) => {
        // what PostgreSQL does not understand was no try
        if (/^42(?!501|8C9)/.test(error.code ?? '')) throw error
        return `SQLSTATE ${error.code}${error.constraint ? ` ${error.constraint}` : ''}`
      })
      ends.set(end, [...(ends.get(end) ?? []), what])
    }
    // what was refused throughout has changed nothing
    const isClosed = [...ends.keys()].every((end) => end.startsWith('SQLSTATE'))
    const worse = isClosed ? undefined : await worsened(before)
    if (!isClosed) asItWas = undefined
    const told = [...ends].map(([end, whats]) => `${end} (${whats.length > 3 ? `${whats.length} ways` : whats.join(', ')})`).join('; ')
    return worse === undefined ? stopped(told) : got(`${worse}: ${told}`)
  }

  return {
    name: 'the logins of processes at every table',
    together: 3,
    async attacks() {
      const { rows } = await owner.pool.query<{ schema: string; table: string; columns: Column[] }>(
        `select n.nspname as schema, c.relname as table, jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null)) order by a.attnum) as columns
         from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where n.nspname in ('castellan', 'pgboss') and c.relkind in ('r', 'p', 'v') group by 1, 2 order by 1, 2`)
      return logins.flatMap((login) => [
        ...rows.map(({ schema, table, columns }): Attack => ({ name: `${login} at ${schema}.${table}`, attempt: () => tryAll(roleOf(login), waysInto(`${schema}.${table}`, columns)) })),
        { name: `${login} at the database itself`, attempt: () => tryAll(roleOf(login), itself) },
        { name: `${login} at its functions`, attempt: () => functions(field, login, tryAll) },
      ])
    },
  }
}

function waysInto(table: string, columns: readonly Column[]): Try[] {
  const updates = columns.map(({ name, type }) => ({ what: `update ${name}`, sql: `update ${table} set "${name}" = ${lowest(name, type)}` }))
  return [
    ...updates,
    { what: 'insert', sql: `insert into ${table} default values` },
    { what: 'insert a copy', sql: `insert into ${table} select * from ${table} limit 1` },
    { what: 'delete', sql: `delete from ${table}` },
    { what: 'truncate', sql: `truncate ${table} cascade` },
    { what: 'lock', sql: `lock table ${table} in access exclusive mode nowait` },
    { what: 'trigger off', sql: `alter table ${table} disable trigger all` },
    { what: 'row security off', sql: `alter table ${table} disable row level security` },
    { what: 'own', sql: `alter table ${table} owner to current_user` },
    { what: 'drop', sql: `drop table ${table}` },
  ]
}

/** What an attacker would have stand there. */
function lowest(name: string, type: string): string {
  if (name === 'state') return `'released'`
  if (name === 'verdict') return `'approve'`
  if (name === 'cloud_clearance' || name === 'max_level') return '3'
  if (/level|risk|min_app/.test(name)) return '0'
  if (name === 'label_integrity') return `'trusted'`
  if (/timestamp/.test(type)) return `'infinity'`
  if (type === 'text[]') return `'{}'`
  if (/json/.test(type)) return `'{}'`
  if (type === 'bytea') return `'\\x00'`
  if (type === 'uuid') return `'00000000-0000-0000-0000-000000000000'`
  if (type === 'interval') return `interval '1 day'`
  if (/int|numeric|double/.test(type)) return '0'
  if (type === 'boolean') return 'true'
  return `"${name}"`
}

const itself: readonly Try[] = [
  ['become the owner', 'set role castellan_owner'], ['become the releaser', 'set role castellan_releaser'], ['say that it is the releaser', 'set session authorization castellan_releaser'],
  ['take the role of the releaser', 'grant castellan_releaser to current_user'], ['become superuser', 'alter role current_user superuser'], ['change a password', `alter role castellan_releaser password 'mine'`],
  ['make a role', 'create role mine'], ['replicate', 'set local session_replication_role = replica'], ['run a program', `copy (select 1) to program 'id'`], ['read a file', `select pg_read_file('/etc/passwd')`],
  ['write a file', `copy (select 1) to '/tmp/castellan-stolen'`], ['log what others say', `select set_config('log_statement', 'all', false)`], ['load a language', 'create extension plpython3u'], ['reach another database', 'create extension dblink'],
  ['make a schema', 'create schema mine'], ['make a table', 'create table public.mine (n int)'], ['make a temporary table', 'create temporary table mine (n int)'], ['make a function', `create function castellan.mine() returns int language sql as 'select 1'`],
  ['end the releaser', `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'castellan_releaser'`],
].map(([what, sql]) => ({ what: what!, sql: sql! }))

/** Every function that there is, with arguments that name nothing of its own: most are closed to it, and the others change nothing. */
async function functions({ owner, roleOf }: Field, login: Login, tryAll: (database: Database, tries: readonly Try[]) => Promise<Outcome>): Promise<Outcome> {
  const { rows } = await owner.pool.query<{ name: string; args: string }>(
    `select p.proname as name, coalesce((select string_agg('null::' || format_type(t, null), ', ' order by place) from unnest(p.proargtypes) with ordinality as a(t, place)), '') as args
     from pg_proc p where p.pronamespace = 'castellan'::regnamespace and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype order by 1`)
  return tryAll(roleOf(login), rows.map(({ name, args }) => ({ what: name, sql: `select castellan.${name}(${args})` })))
}
