import { toRefusal } from '../session/session.ts'
import type { Client } from '../releaser/client.ts'
import type { TriageVerbs } from './triage.ts'

/** Pauses after failures, in milliseconds. */
const pauses = [1_000, 2_000, 4_000, 8_000, 15_000]

/** Keeps the page true: asks for the list, then what changed, again and again, until the signal. Two tabs see the same within a moment. */
export async function watchChanges({ refresh, dispatch }: Pick<TriageVerbs, 'refresh' | 'dispatch'>, client: Pick<Client, 'changes'>, signal: AbortSignal): Promise<void> {
  let version = 0
  let failures = 0
  while (!signal.aborted) {
    try {
      const answer = await client.changes(version, signal)
      if (answer.version !== version || failures > 0) await refresh()
      version = answer.version
      failures = 0
      dispatch({ type: 'online', online: true })
    } catch (error) {
      if (signal.aborted) return
      const problem = toRefusal(error)
      if (problem.code === 'session.over') return
      dispatch({ type: 'list-failed', problem })
      version = 0
      await pause(pauses[Math.min(failures, pauses.length - 1)]!, signal)
      failures += 1
    }
  }
}

/** Ends early when the network is back, or when the page is looked at again. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      window.removeEventListener('online', done)
      document.removeEventListener('visibilitychange', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    window.addEventListener('online', done)
    document.addEventListener('visibilitychange', done)
    signal.addEventListener('abort', done)
  })
}
