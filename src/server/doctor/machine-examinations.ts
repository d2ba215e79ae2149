import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { sql } from 'kysely'
import type { Database } from '../../kernel/database/connect.ts'
import type { IsolationView } from '../api.ts'
import { readProcesses } from '../read/status.ts'
import type { Examination, Finding } from './doctor.ts'

export interface MachineDeps {
  readonly database: Database
  readonly home: string
  readonly isolation: IsolationView
  readonly path: string
  readonly platform: NodeJS.Platform
}

const gigabyte = 1024 ** 3
const littleDisk = 10 * gigabyte
const noDisk = gigabyte

/** What can be seen of the machine and of the other processes. */
export function machineExaminations(deps: MachineDeps): Examination[] {
  return [
    { id: 'isolation', mend: 'sudo castellan up', look: async () => isolation(deps.isolation) },
    { id: 'sandbox', mend: 'sudo apt-get install bubblewrap', look: () => sandbox(deps) },
    { id: 'models', mend: 'castellan model test', look: () => models(deps.database) },
    { id: 'disk', mend: 'df -h', look: () => disk(deps.home) },
  ]
}

function isolation({ mode, detail }: IsolationView): Finding {
  return { status: mode === 'demonstration' ? 'warn' : 'ok', what: `${mode}: ${detail}` }
}

async function sandbox({ path, platform }: MachineDeps): Promise<Finding> {
  const program = platform === 'darwin' ? 'sandbox-exec' : 'bwrap'
  for (const folder of path.split(delimiter)) {
    const file = join(folder, program)
    if (await access(file, constants.X_OK).then(() => true, () => false)) return { status: 'ok', what: file }
  }
  return { status: 'fail', what: `${program} is not on the PATH, so tools that run commands refuse` }
}

/** The server cannot reach the gates; `up` and the call ledger know how they are. */
async function models(database: Database): Promise<Finding[]> {
  const gates = (await readProcesses(database)).filter((one) => one.name.startsWith('gate-'))
  const { rows: upstreams } = await sql<{ upstream: string; state: string; reason: string | null; at: Date }>`
    select distinct on (upstream) upstream, state, reason, opened_at as at from model_call
    where upstream is not null and opened_at > clock_timestamp() - interval '1 day' and state in ('succeeded', 'failed', 'abandoned')
    order by upstream, opened_at desc`.execute(database.kysely)
  const silent = upstreams.filter((one) => one.state !== 'succeeded')
  return [
    ...gates.filter((one) => one.state !== 'ready').map(({ name, state, reason }): Finding =>
      ({ status: 'fail', what: `${name} is ${state}${reason ? `: ${reason}` : ''}`, mend: 'castellan status' })),
    ...silent.map(({ upstream, state, reason, at }): Finding =>
      ({ status: 'warn', what: `${upstream}: the last call, at ${at.toISOString()}, ${state}${reason ? ` (${reason})` : ''}` })),
    ...(silent.length === 0 && gates.every((one) => one.state === 'ready') ? [allWell(gates.length, upstreams.length)] : []),
  ]
}

function allWell(gates: number, answered: number): Finding {
  const asked = answered === 0 ? 'no model was asked in the last day' : `${answered} upstream(s) answered when last asked`
  return gates === 0 ? { status: 'fail', what: 'no gate is recorded', mend: 'castellan status' } : { status: 'ok', what: `the gates are ready; ${asked}` }
}

async function disk(home: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(home)
  const free = bavail * bsize
  const what = `${(free / gigabyte).toFixed(1)} GB free in ${home}`
  return { status: free < noDisk ? 'fail' : free < littleDisk ? 'warn' : 'ok', what }
}
