import type { BatchView } from '../../server/index.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import type { Invocation } from '../command/add-command.ts'
import { table } from '../terminal/table.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { counted, distance, money, shortId, type Here } from '../terminal/wording.ts'

/** What programs have sent in as bulk work. */
export async function listBatches({ server, options: { limit }, here }: Invocation<{ limit?: number }>): Promise<Outcome> {
  const batches = await (await server()).get<BatchView[]>('/api/batches', { limit })
  return outcome(batches, (data, terminal) => batchTable(data, terminal, here))
}

export async function cancelBatch({ server, args, options, ask }: Invocation<object>): Promise<Outcome> {
  const client = await server()
  const id = args[0]!
  if (options.dryRun) return outcome({ state: 'dry_run', would: `would cancel batch ${id}` }, (data) => data.would)
  if (!(await ask.confirm(`Cancel batch ${id}? Lines that were answered stay so.`))) return outcome({ id, state: 'unchanged' }, () => 'Nothing was changed.')
  const done = await client.post<{ id: string; state: string }>(`/api/batches/${encodeURIComponent(id)}/cancel`)
  return outcome(done, (data) => `batch ${shortId(data.id)} is ${data.state}`)
}

function batchTable(batches: readonly BatchView[], terminal: Terminal, here: Here): string {
  if (batches.length === 0) return 'No program has sent in a batch.'
  return table(terminal, ['BATCH', 'STATE', 'KEY', 'GATE', 'ENDPOINT', 'LINES', 'COST', 'SENT IN', 'UNTIL'], batches.map((one) => [
    shortId(one.id), paintState(terminal, one.state), one.key, one.gate, one.endpoint, linesOf(one), money(one.cost_eur), distance(one.opened_at, here),
    one.closed_at === null ? distance(one.window_ends_at, here) : '',
  ]))
}

function linesOf({ total, answered, failed }: BatchView): string {
  return `${answered} of ${counted(total, 'line')}${failed === 0 ? '' : `, ${failed} failed`}`
}
