import type { House } from '../house/index.ts'
import { reportSecrets, unseenSecrets, type SecretReport } from '../secrets/index.ts'
import { processNames, type ProcessName } from './boot.ts'
import { secretNames, secretsOf } from './read-secrets.ts'
import type { Supervised } from './supervise.ts'

export interface TakeDeps {
  readonly home: string
  readonly processes: ReadonlyMap<ProcessName, Supervised>
  house(): House
  /** Each process is a unit, which the system gives its secrets. */
  readonly units?: boolean | undefined
}

export interface Taken {
  readonly restarted: readonly ProcessName[]
  readonly pending: readonly ProcessName[]
  readonly needs_start: boolean
  readonly report: SecretReport
}

const deadlineMs = 8_000
const readyMs = 10_000

/** Which secrets which process is given, by the house as it is; `up` joins a database of the operator's by some. */
export function reportOf(home: string, house: House): SecretReport {
  return reportSecrets(home, house.settings.secrets, new Map((['up', ...processNames] as const).map((name) => [name, secretNames(name, house)])), new Date())
}

/**
 * Starts those anew that are given one of these secrets: a process reads its boot message once. The server, which asks for this, comes
 * last, after `answer` has told it what it can tell the operator.
 * @throws Fault `secret.mode`
 */
export async function takeSecrets(names: readonly string[], { home, processes, house, units }: TakeDeps, answer: (taken: Taken) => void): Promise<void> {
  const holders = processNames.filter((name) => processes.has(name) && secretNames(name, house()).some((held) => names.includes(held)))
  // what cannot be handed over is found out before anybody is stopped for it; what the system hands over cannot be seen from here
  if (!units) for (const name of holders) secretsOf(name, house(), home)
  const others = holders.filter((name) => name !== 'server')
  await Promise.all(others.map(async (name) => {
    const child = processes.get(name)!
    await child.restart(deadlineMs)
    await readiness(child)
  }))
  const back = (name: ProcessName) => name === 'server' || processes.get(name)!.state.state === 'ready'
  answer({
    restarted: holders.filter(back), pending: holders.filter((name) => !back(name)),
    needs_start: secretNames('up', house()).some((held) => names.includes(held)), report: units ? unseenSecrets : reportOf(home, house()),
  })
  if (holders.includes('server')) await processes.get('server')!.restart(deadlineMs)
}

/** Resolves when it is ready, or has had its time. */
function readiness(child: Supervised): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      child.off('state', look)
      resolve()
    }
    const look = () => {
      if (child.state.state === 'ready' || child.state.state === 'crashed') done()
    }
    const timer = setTimeout(done, readyMs)
    child.on('state', look)
    look()
  })
}
