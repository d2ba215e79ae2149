import { setTimeout as delay } from 'node:timers/promises'
import type { RunDetail, StepView } from '../../server/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { exitCodes } from '../command/exit-codes.ts'
import type { SocketClient } from '../connection/socket-client.ts'
import type { Outcome } from '../command/outcome.ts'
import { paintState } from '../terminal/terminal.ts'
import { visibleText } from '../terminal/visible.ts'
import { duration, shortId } from '../terminal/wording.ts'

const pollSeconds = 1
/** The releaser freezes what a run proposed within a moment; it would be odd to end before there is something to sign. */
const freezeMs = 4_000
const freezePollMs = 150
const ended: ReadonlySet<RunDetail['state']> = new Set(['succeeded', 'cancelled', 'dead'])

/** Follows a run until it is closed, or parked for a decision that only the operator can take. Steps are told on a terminal's stderr. */
export async function watchRun({ err, say }: Pick<Invocation, 'err' | 'say'>, server: SocketClient, id: string): Promise<RunDetail> {
  const told = new Map<string, string>()
  for (;;) {
    const run = await server.get<RunDetail>(`/api/runs/${id}`, { wait: pollSeconds })
    if (err.tty) {
      for (const step of run.steps) {
        const line = progressLine(step)
        if (line === undefined || told.get(step.id) === line) continue
        told.set(step.id, line)
        say(`${paintState(err, step.state).padEnd(10)} ${line}`)
      }
    }
    if (ended.has(run.state) || run.state === 'parked') return afterFreeze(server, run)
  }
}

async function afterFreeze(server: SocketClient, ended: RunDetail): Promise<RunDetail> {
  let run = ended
  for (const until = performance.now() + freezeMs; run.proposals.some((one) => one.state === 'proposed') && performance.now() < until; ) {
    await delay(freezePollMs)
    run = await server.get<RunDetail>(`/api/runs/${run.id}`)
  }
  return run
}

/** What the shell is told of a watched run that did not succeed. */
export function runFailure({ id, state, error }: Pick<RunDetail, 'id' | 'state' | 'error'>): Outcome['failure'] {
  if (state === 'succeeded') return undefined
  if (state === 'parked') return { exit: exitCodes.partial, code: 'run.parked', message: `run ${shortId(id)} waits for your decision: castellan draft list` }
  const why = error?.message || error?.code
  return { exit: exitCodes.failure, code: error?.code ?? `run.${state}`, message: `run ${shortId(id)} is ${state}${why ? `: ${why}` : ''}` }
}

function progressLine(step: StepView): string | undefined {
  if (step.state === 'pending') return undefined
  const took = step.closed_at === null || step.started_at === null ? '' : ` ${duration(Date.parse(step.closed_at) - Date.parse(step.started_at))}`
  const attempt = step.attempt > 1 ? `, attempt ${step.attempt}` : ''
  return visibleText(`${step.id} (${step.tool})${took}${attempt}`)
}
