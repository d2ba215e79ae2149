import type { Command } from 'commander'
import type { SecurityAlert } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { wholeNumber } from './command/parse-option.ts'
import { pairs, table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { counted, distance, shortId, type Here } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const alerts = program.command('alerts').description('What the house saw that somebody should look at')

  addCommand<{ all?: boolean; limit: number }>(alerts, cli, {
    usage: 'list',
    summary: 'Alerts that are not over, the gravest first',
    configure: (command) => void command.option('--all', 'those that are over too').option('-n, --limit <number>', 'how many', wholeNumber, 100),
    async run({ options: { all, limit }, server, here }) {
      const found = await (await server()).get<SecurityAlert[]>('/api/alerts', { limit, all: all ? '1' : undefined })
      return outcome(found, (lines, terminal) => listText(lines, terminal, here))
    },
  })

  addCommand(alerts, cli, {
    usage: 'show <id>',
    summary: 'One alert: what was seen, how often, and what to do',
    async run({ args, server, here }) {
      const alert = await (await server()).get<SecurityAlert>(`/api/alerts/${encodeURIComponent(args[0]!)}`)
      return outcome(alert, (one, terminal) => alertText(one, terminal, here))
    },
  })

  addCommand(alerts, cli, {
    usage: 'ack <id>',
    summary: 'Say that you have seen it; it closes when it is over',
    changes: true,
    async run({ args, options, server }) {
      const client = await server()
      const path = `/api/alerts/${encodeURIComponent(args[0]!)}`
      if (options.dryRun) {
        const { id, kind, state } = await client.get<SecurityAlert>(path)
        return outcome({ state: 'dry_run', would: state === 'open' ? `would acknowledge ${kind} (${id})` : `would change nothing: ${id} is ${state}` }, (data) => data.would)
      }
      const acknowledged = await client.post<{ id: string; state: string }>(`${path}/ack`)
      return outcome(acknowledged, (data) => data.state === 'closed' ? `Alert ${shortId(data.id)} was over already.` : `Alert ${shortId(data.id)} is acknowledged. It closes when it is over.`)
    },
  })
}

function listText(alerts: readonly SecurityAlert[], terminal: Terminal, here: Here): string {
  if (alerts.length === 0) return 'Nothing to look at.'
  const rows = alerts.map((alert) => [
    shortId(alert.id), paintState(terminal, alert.level), alert.state, alert.kind, alert.subject, String(alert.count), distance(alert.last_seen, here),
  ])
  return `${table(terminal, ['ID', 'LEVEL', 'STATE', 'KIND', 'ABOUT', 'COUNT', 'LAST SEEN'], rows)}\n\n${terminal.typed('castellan alerts show ID')} says what to do.`
}

function alertText(alert: SecurityAlert, terminal: Terminal, here: Here): string {
  const facts: [string, string][] = [
    ['what', alert.what],
    ['to do', terminal.typed(alert.mend)],
    ['level', paintState(terminal, alert.level)],
    ['state', alert.state],
    ['kind', alert.code === null ? alert.kind : `${alert.kind} (${alert.code})`],
    ['about', alert.subject],
    ['seen', `${counted(alert.count, 'time')}, first ${distance(alert.first_seen, here)}, last ${distance(alert.last_seen, here)}${alert.times_opened > 1 ? `; it came back ${counted(alert.times_opened - 1, 'time')}` : ''}`],
    ...(alert.acknowledged_at === null ? [] : [['acknowledged', distance(alert.acknowledged_at, here)] as [string, string]]),
    ...(alert.closed_at === null ? [] : [['closed', distance(alert.closed_at, here)] as [string, string]]),
    ['id', alert.id],
  ]
  return pairs(terminal, facts)
}
