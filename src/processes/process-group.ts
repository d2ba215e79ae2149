import { toFault } from '../kernel/fault.ts'
import type { Logger } from '../kernel/log.ts'
import type { ProcessName } from './boot.ts'
import type { ProcessState, Supervised } from './supervise.ts'

type Processes = ReadonlyMap<ProcessName, Supervised>

export interface GroupDeps {
  readonly log: Logger
  record(state: ProcessState): Promise<void>
  reload(): Promise<unknown>
  /** Starts anew who is given these secrets, and answers in between. */
  takeSecrets(names: readonly string[], answer: (taken: unknown) => void): Promise<void>
}

/** Connects the processes with each other and with the table of processes. Resolves once none of them is on its way any more. */
export function connectProcesses(processes: Processes, { log, record, reload, takeSecrets }: GroupDeps): Promise<void> {
  const settled = Promise.withResolvers<void>()
  for (const child of processes.values()) {
    child.on('state', (state) => {
      record(state).catch((error: unknown) => log.warn({ err: error, state }, 'could not record the state of a process'))
      if ([...processes.values()].every((one) => one.state.state === 'ready' || one.state.state === 'crashed')) settled.resolve()
    })
    child.on('wake', (_from, to) => processes.get(to)?.send({ type: 'wake' }))
    child.on('request', (what, reply, names) => {
      const answer = (data: unknown) => reply({ ok: true, data })
      const act = async () => {
        if (what === 'reload') answer(await reload())
        // a worker that was taken over could start the others anew without end
        else if (what === 'secrets' && child.state.name === 'server') await takeSecrets(names, answer)
        else throw new Error(`unknown request ${what}`)
      }
      act().catch((error: unknown) => reply({ ok: false, error: { message: toFault(error).message } }))
    })
  }
  return settled.promise
}

const stopDeadlineMs = 8_000

/** The server first, so that nothing new begins; the releaser last, so that what was decided still goes out. */
export const stopOrder: readonly (readonly ProcessName[])[] = [['server'], ['worker-open', 'worker-private'], ['gate-local', 'gate-cloud', 'reader'], ['releaser']]

/** Asks the processes to stop, in an order that loses nothing. */
export async function stopProcesses(processes: Processes): Promise<void> {
  for (const group of stopOrder) {
    await Promise.all(group.map((name) => processes.get(name)?.stop(stopDeadlineMs)))
  }
}
