import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import type { SessionLine } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import { paintState } from './terminal/terminal.ts'
import { distance, shortId } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const session = program.command('session').description('Browsers that are signed in to the dashboard')

  addCommand(session, cli, {
    usage: 'list',
    summary: 'Browsers that are signed in, the newest first',
    async run({ server, here }) {
      const sessions = await (await server()).get<SessionLine[]>('/api/sessions')
      return outcome(sessions, (lines, terminal) => lines.length === 0
        ? terminal.typed('No browser is signed in; castellan signin prints a link.')
        : table(terminal, ['ID', 'STATE', 'OPENED', 'SEEN', 'ENDS', 'BROWSER'], lines.map((line) => [
            shortId(line.id), paintState(terminal, line.state), distance(line.opened_at, here), distance(line.seen_at, here), distance(line.expires_at, here), line.browser,
          ])))
    },
  })

  addCommand(session, cli, {
    usage: 'revoke <id>',
    summary: 'Sign a browser out',
    changes: true,
    async run({ args, options, server }) {
      const client = await server()
      const wanted = args[0]!.toLowerCase()
      const meant = (await client.get<SessionLine[]>('/api/sessions')).filter(({ id }) => id.startsWith(wanted) || id.endsWith(wanted))
      if (meant.length === 0) throw new Fault('missing', 'session.unknown', `there is no session "${args[0]}"; \`castellan session list\` shows them`)
      if (meant.length > 1) throw new Fault('conflict', 'session.ambiguous', `more than one session is meant by "${args[0]}"; give more of its id`)
      const { id } = meant[0]!
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would end session ${id}` }, (data) => data.would)
      const ended = await client.post<{ id: string; state: string }>(`/api/sessions/${id}/revoke`)
      return outcome(ended, (data) => `Session ${data.id} is ended.`)
    },
  })
}
