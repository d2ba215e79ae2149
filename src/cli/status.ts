import type { Command } from 'commander'
import type { StatusView } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { exitCodes } from './command/exit-codes.ts'
import { outcome } from './command/outcome.ts'
import { pairs, table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { distance, type Here } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  addCommand(program, cli, {
    usage: 'status',
    summary: 'Processes, database, queue and house; exit 1 when a part is not ready',
    async run({ server, here }) {
      const status = await (await server()).get<StatusView>('/api/status')
      const failure = status.state === 'ready' ? undefined : { exit: exitCodes.failure, code: 'status.not_ready', message: 'a part of the house is not ready' }
      return outcome(status, (data, terminal) => statusText(data, terminal, here), failure)
    },
  })
}

function statusText(status: StatusView, terminal: Terminal, here: Here): string {
  const { runs, house, database } = status
  const queued = runs.queued_open + runs.queued_private
  const facts: [string, string][] = [
    ['state', paintState(terminal, status.state === 'ready' ? 'ready' : 'not ready')],
    ['up', `Castellan ${status.version}, process ${status.pid}, started ${distance(status.started_at, here)}`],
    ['house', `${house.name}, ${house.folder}${house.digest === null ? '' : `, digest ${house.digest.slice(0, 12)}`}`],
    ['database', `PostgreSQL ${database.version}, schema ${database.schema}`],
    ['runs', `${queued} queued (${runs.queued_open} open, ${runs.queued_private} private), ${runs.running} running, ${runs.parked} parked, ${runs.waiting} waiting`],
    ...(status.webhooks.declared > 0 ? [['webhooks', webhookText(status.webhooks)] as [string, string]] : []),
    ['isolation', `${status.isolation.mode}: ${status.isolation.detail}`],
    ...status.parts.filter((part) => !part.ready).map((part): [string, string] => [part.name, terminal.paint('red', part.state)]),
    ...(status.fence === null ? [] : [['outbox', `${terminal.paint('red', `fenced: nothing leaves${status.fence.waiting.length > 0 ? `, nor does this count: ${status.fence.waiting.join(', ')}` : ''}`)}; ${status.fence.why}; ${terminal.typed('castellan outbox status')}`] as [string, string]]),
    ...status.unsigned_machines.map((name): [string, string] => ['model', `${name} counts as of the mesh, P2 at most, until you sign that it is your own: ${terminal.typed(`castellan model own ${name}`)}`]),
    ...(openAlerts(status) > 0 ? [['alerts', `${terminal.paint(status.alerts_open.critical > 0 ? 'red' : 'yellow', alertText(status))}; ${terminal.typed('castellan alerts list')}`] as [string, string]] : []),
    ...(status.alerts_silent === null ? [] : [['untold', `alerts reach nobody: ${status.alerts_silent.why}; ${terminal.typed(status.alerts_silent.mend)}`] as [string, string]]),
    ...(house.problems.length > 0 ? [['problems', `${house.problems.length} in the house; ${terminal.typed('castellan config check')}`] as [string, string]] : []),
  ]
  const rows = status.processes.map((one) => [
    one.name, paintState(terminal, one.state), one.pid === null ? '' : String(one.pid), one.uid === null ? '' : String(one.uid),
    String(one.restarts), one.since === null ? '' : distance(one.since, here), one.reason ?? '',
  ])
  return `${pairs(terminal, facts)}\n\n${table(terminal, ['PROCESS', 'STATE', 'PID', 'UID', 'RESTARTS', 'SINCE', 'WHY'], rows)}`
}

function openAlerts({ alerts_open: open }: StatusView): number {
  return open.critical + open.warning + open.info
}

function alertText({ alerts_open: open }: StatusView): string {
  const levels = (['critical', 'warning', 'info'] as const).filter((level) => open[level] > 0).map((level) => `${open[level]} ${level}`)
  return `${levels.join(', ')}, not acknowledged`
}

function webhookText({ port, declared, stored_today, refused_today }: StatusView['webhooks']): string {
  return `${declared} declared, ${port === null ? 'nothing listens' : `port ${port}`}, ${stored_today} event(s) and ${refused_today} refused deliveries today`
}
