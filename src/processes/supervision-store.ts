import type { Database } from '../kernel/database/connect.ts'
import type { Isolation, ProcessName } from './boot.ts'
import type { ProcessState } from './supervise.ts'

/** Writes who supervises this database since when; there is one supervisor. */
export async function recordSupervisor(
  database: Database,
  supervisor: { version: string; house: string; isolation: Isolation; startedAt: Date },
): Promise<void> {
  await database.pool.query(
    `insert into supervisor (pid, started_at, version, house, isolation) values ($1, $2, $3, $4, $5)
     on conflict (one) do update set pid = excluded.pid, started_at = excluded.started_at, version = excluded.version,
       house = excluded.house, isolation = excluded.isolation`,
    [process.pid, supervisor.startedAt, supervisor.version, supervisor.house, `${supervisor.isolation.mode}: ${supervisor.isolation.detail}`],
  )
}

/** Writes what became of a process, for `status` and `doctor`. */
export async function recordProcess(database: Database, state: ProcessState, uid: number | undefined, isolation: Isolation): Promise<void> {
  await database.pool.query(
    `insert into process (name, pid, uid, state, restarts, isolation, reason) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (name) do update set pid = excluded.pid, uid = excluded.uid, state = excluded.state, restarts = excluded.restarts,
       isolation = excluded.isolation, reason = excluded.reason, since = clock_timestamp()`,
    [state.name, state.pid, uid ?? process.getuid?.() ?? null, state.state, state.restarts, isolation.mode, state.reason],
  )
}

/** What ran in an earlier start and is not wanted in this one must not stand there as stopped. */
export async function forgetProcesses(database: Database, present: readonly ProcessName[]): Promise<void> {
  await database.pool.query('delete from process where name <> all ($1)', [present])
}
