import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { House } from '../../house/index.ts'
import type { GateReport } from '../../models/index.ts'
import type { IsolationView } from '../api.ts'
import { upstreamStates } from '../read/upstreams.ts'
import type { Examination, Finding } from './doctor.ts'

export interface MachineDeps {
  readonly home: string
  readonly house: () => Pick<House, 'settings'>
  gates(fresh: boolean): Promise<readonly GateReport[]>
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
    { id: 'models', mend: 'castellan model list', look: () => models(deps) },
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

/** Asks anew: what an upstream said a moment ago does not mean that it is there. */
async function models({ house, gates }: MachineDeps): Promise<Finding[]> {
  const reports = await gates(true)
  const away = reports.flatMap((report): Finding[] => (report.answers ? [] : [{ status: 'fail', what: report.error.message, mend: 'castellan status' }]))
  const states = upstreamStates(house().settings.models.upstreams, reports)
  if (states.length === 0) return [...away, { status: 'ok', what: 'the house names no model; jobs do what they can without one, and say so' }]
  const answering = states.filter(({ state }) => state === 'answers')
  const troubled = [
    ...states.filter(({ state }) => state !== 'answers').map(({ name, state, reason }) => `${name} ${state === 'silent' ? 'is silent' : 'was not asked'}: ${reason}`),
    ...answering.filter(({ models: installed }) => installed.every((model) => model.embedding)).map(({ name }) => `${name} has no model that answers`),
  ]
  const what = `${answering.length} of ${states.length} upstreams answer${answering.length === 1 ? 's' : ''}`
  return [...away, troubled.length === 0 ? { status: 'ok', what } : { status: 'warn', what: [what, ...troubled].join('; ') }]
}

async function disk(home: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(home)
  const free = bavail * bsize
  const what = `${(free / gigabyte).toFixed(1)} GB free in ${home}`
  return { status: free < noDisk ? 'fail' : free < littleDisk ? 'warn' : 'ok', what }
}
