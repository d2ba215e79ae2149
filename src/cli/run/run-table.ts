import type { RunSummary } from '../../server/index.ts'
import { table } from '../terminal/table.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { duration, labelWords, moment, shortId, type Here } from '../terminal/wording.ts'

/** Runs, a line each. */
export function runTable(runs: readonly RunSummary[], terminal: Terminal, here: Here, empty: string): string {
  if (runs.length === 0) return empty
  return table(terminal, ['ID', 'JOB', 'STATE', 'ORIGIN', 'OPENED', 'TOOK', 'LABEL', 'NOTE'], runs.map((run) => [
    shortId(run.id), run.job, paintState(terminal, run.state), run.origin, moment(run.opened_at, here),
    run.closed_at === null ? '' : duration(Date.parse(run.closed_at) - Date.parse(run.opened_at)),
    labelWords(run.label),
    run.error?.message || run.error?.code || (run.made_without_model ? 'made without a model' : ''),
  ]))
}
