import { Fault } from '../../kernel/fault.ts'
import type { QueueName } from '../../runs/index.ts'
import type { RedrivenRun, RunSummary } from '../api.ts'
import { recordRequest } from './record-request.ts'
import type { RequestDeps } from './run-job.ts'

/** Ends a run that is not closed; what it did stays. @throws Fault `run.missing`, `run.closed` */
export async function cancelRun(deps: RequestDeps, run: string): Promise<{ id: string; state: RunSummary['state'] }> {
  const freed = await deps.database.transaction(async (client) => {
    await recordRequest(client, { request: 'run.cancel', subject: run })
    const { rows } = await client.query<{ done: { outcome: string; state?: string; next: string | null; next_queue: QueueName } }>(
      'select run_cancel($1) as done', [run])
    const { done } = rows[0]!
    if (done.outcome === 'missing') throw missing(run)
    if (done.outcome === 'closed') throw new Fault('conflict', 'run.closed', `run ${run} is already ${done.state}`, { state: done.state })
    if (done.next === null) return undefined
    return done.next_queue
  })
  if (freed !== undefined) deps.wake(freed)
  return { id: run, state: 'cancelled' }
}

/**
 * Takes a closed run up again: a dead or cancelled one where it stopped, any from a named step on.
 * It waits while another run of a job whose runs may not overlap is not closed.
 * @throws Fault `run.missing`, `run.open`, `run.swept`, `run.no_step`, `run.not_dead`
 */
export async function redriveRun(deps: RequestDeps, run: string, { from, onlyDead = false }: { from?: string | undefined; onlyDead?: boolean } = {}): Promise<RedrivenRun> {
  const { outcome, queue, behind = null } = await deps.database.transaction(async (client) => {
    await recordRequest(client, { request: 'run.redrive', subject: run, detail: { from: from ?? null } })
    if (onlyDead) await mustBeDead(client, run)
    const { rows } = await client.query<{ done: Redriven }>('select run_redrive($1, $2) as done', [run, from ?? null])
    const { done } = rows[0]!
    if (done.outcome === 'missing') throw missing(run)
    if (done.outcome === 'no_step') {
      throw new Fault('invalid', 'run.no_step', `run ${run} has not reached a step "${from}"; \`castellan run show ${run}\` shows its steps`)
    }
    if (done.outcome === 'open') throw notAgain(run, done.state)
    if (done.outcome === 'swept') {
      throw new Fault('conflict', 'run.swept', `run ${run} was closed so long ago that its input and outputs are gone; start a new one with \`castellan job run\``)
    }
    return done
  })
  if (queue !== undefined) deps.wake(queue)
  return { id: run, state: outcome, behind }
}

type Redriven =
  | { outcome: 'missing' }
  | { outcome: 'no_step' }
  | { outcome: 'open'; state: string }
  | { outcome: 'swept' }
  | { outcome: 'queued' | 'waiting'; queue?: QueueName; behind?: string }

async function mustBeDead(client: { query(text: string, values: unknown[]): Promise<{ rows: { state: string }[] }> }, run: string): Promise<void> {
  const { rows } = await client.query('select state from run where id = $1', [run])
  if (rows[0] !== undefined && rows[0].state !== 'dead') {
    throw new Fault('conflict', 'run.not_dead', `run ${run} is ${rows[0].state}, not dead; \`castellan run retry ${run}\` repeats other runs`, { state: rows[0].state })
  }
}

function notAgain(run: string, state: string): Fault {
  if (state === 'succeeded') {
    return new Fault('conflict', 'run.succeeded', `run ${run} succeeded; say from which step to repeat it (--from STEP)`, { state })
  }
  return new Fault('conflict', 'run.open', `run ${run} is ${state}; only a closed run can be taken up again (\`castellan run cancel ${run}\` closes it)`, { state })
}

function missing(run: string): Fault {
  return new Fault('missing', 'run.missing', `there is no run "${run}"; \`castellan run list\` shows the latest`)
}
