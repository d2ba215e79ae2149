import { toFault } from '../../kernel/fault.ts'
import type { RecordedActs, TakenSecrets } from '../../server/index.ts'
import type { SecretRecords } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'

type Desk = Pick<Invocation, 'server'>

/** What became of it in the house that runs. */
export interface Told {
  readonly state: 'taken' | 'not_running' | 'untold'
  readonly restarted: readonly string[]
  readonly pending: readonly string[]
  readonly needs_start: boolean
  readonly problem: string | null
}

/** What one request may hold. */
const atOnce = 200
const nothing = { restarted: [], pending: [], needs_start: false }

/** Hands what was noted to the audit. While the house does not run it stays noted: `up` hands it over. */
export async function recordActs({ server }: Desk, records: SecretRecords): Promise<void> {
  try {
    for (let acts = records.unrecorded(); acts.length > 0;) {
      records.recorded((await (await server()).post<RecordedActs>('/api/secrets/acts', { acts: acts.slice(0, atOnce) })).ids)
      const left = records.unrecorded()
      if (left.length >= acts.length) return
      acts = left
    }
  } catch (error) {
    if (toFault(error).kind !== 'unavailable') throw error
  }
}

/** Has those started anew that are given what changed. */
export async function tellHouse({ server }: Desk, names: readonly string[]): Promise<Told> {
  if (names.length === 0) return { state: 'taken', ...nothing, problem: null }
  try {
    return { ...(await (await server()).post<TakenSecrets>('/api/secrets/take', { names }, { patience: 60 })), problem: null }
  } catch (error) {
    const { code, message } = toFault(error)
    return code === 'up.missing' ? { state: 'not_running', ...nothing, problem: null } : { state: 'untold', ...nothing, problem: message }
  }
}

export function toldText({ state, restarted, pending, needs_start, problem }: Told): string[] {
  if (state === 'not_running') return ['Castellan is not running; it takes them when it starts.']
  if (state === 'untold') return [`The house was not told (${problem}); castellan down && castellan up gives it what is new.`]
  return [
    ...(restarted.length > 0 ? [`Started anew: ${restarted.join(', ')}.`] : []),
    ...(pending.length > 0 ? [`Not back yet: ${pending.join(', ')}; castellan status says how they are.`] : []),
    ...(needs_start ? ['The database is joined by one of them: castellan down && castellan up.'] : []),
  ]
}
