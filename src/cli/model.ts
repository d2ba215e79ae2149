import type { Command } from 'commander'
import type { UpstreamView } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import { paintState } from './terminal/terminal.ts'
import { money } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const model = program.command('model').description('The models of the house and what was asked of them')

  addCommand(model, cli, {
    usage: 'list',
    summary: 'Upstreams, what is routed to them, and what was asked of them today',
    async run({ server }) {
      return outcome(await (await server()).get<UpstreamView[]>('/api/models'), (upstreams, terminal) => upstreams.length === 0
        ? 'The house names no model. Jobs do what they can without one, and say so.'
        : table(terminal, ['UPSTREAM', 'KIND', 'ZONE', 'FOR', 'LAST CALL', 'CALLS', 'FAILED', 'COST', 'URL'], upstreams.map((one) => [
            one.name, one.kind, one.zone, one.routes.map(({ task, model }) => `${task}: ${model}`).join('\n'), paintState(terminal, one.state),
            String(one.calls), String(one.failed), money(one.cost_eur), one.url,
          ])))
    },
  })
}
