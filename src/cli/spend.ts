import { Option, type Command } from 'commander'
import type { SpendView } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { counted, distance, moment, money, type Here } from './terminal/wording.ts'

const kinds = ['provider', 'model', 'lane', 'job', 'key', 'day']

export function register(program: Command, cli: Cli): void {
  addCommand<{ by?: string; since?: string }>(program, cli, {
    usage: 'spend',
    summary: 'What models cost since midnight, or since --since, and what is left under each ceiling',
    configure(command) {
      command
        .addOption(new Option('--by <what>', 'a line for each of these').choices(kinds))
        .option('--since <time>', 'a span such as 24h or 7d, or a moment in ISO 8601')
    },
    async run({ server, options, here }) {
      const { by, since } = options
      const spend = await (await server()).get<SpendView>('/api/spend', { ...(by !== undefined && { by }), ...(since !== undefined && { since }) })
      return outcome(spend, (data, terminal) => spendPage(data, terminal, here))
    },
  })
}

function spendPage({ since, by, lines, total_eur: total, ceilings }: SpendView, terminal: Terminal, here: Here): string {
  const unknown = lines.reduce((sum, line) => sum + line.unknown_price, 0)
  const head = `${money(total)} since ${moment(since, here)}${unknown === 0 ? '' : `, and ${counted(unknown, 'call')} whose price nobody knows`}`
  const rows = lines.map((line) => [
    line.name, String(line.calls), `${line.input_tokens}${line.cached_tokens > 0 ? ` (${line.cached_tokens} cached)` : ''}`,
    `${line.output_tokens}${line.reasoning_tokens > 0 ? ` (${line.reasoning_tokens} reasoning)` : ''}`,
    line.unknown_price === line.calls ? money(null) : money(line.cost_eur),
  ])
  const rooms = ceilings.map((one) => [
    one.name, paintState(terminal, one.state), money(one.limit_eur), `${money(one.spent_eur)} (${one.percent} %)`, money(one.held_eur), money(one.left_eur), distance(one.resets_at, here),
  ])
  return [
    terminal.paint('bold', head),
    ...(rows.length > 0 ? [table(terminal, [by.toUpperCase(), 'CALLS', 'INPUT', 'OUTPUT', 'COST'], rows)] : []),
    rooms.length > 0
      ? table(terminal, ['CEILING', 'STATE', 'LIMIT', 'SPENT', 'HELD', 'LEFT', 'BEGINS ANEW'], rooms)
      : 'No ceiling holds what cloud models cost; models.budgets in castellan.yaml sets one.',
  ].join('\n\n')
}
