import type { Command } from 'commander'
import type { SourcesView } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { distance, labelWords, type Here } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const source = program.command('source').description('What is read from outside')

  addCommand(source, cli, {
    usage: 'list',
    summary: 'The declared sources, how old their snapshots are, and what became of asking today',
    async run({ server, here }) {
      return outcome(await (await server()).get<SourcesView>('/api/sources'), (view, terminal) => listText(view, terminal, here))
    },
  })
}

function listText({ reading, sources }: SourcesView, terminal: Terminal, here: Here): string {
  if (sources.length === 0) return 'no source is declared; docs/recipes/read-from-outside.md says how'
  const rows = sources.map(({ name, kind, state, label, fetched_at, today, last }) => [
    name, kind, paintState(terminal, state), labelWords(label), fetched_at === null ? 'never' : distance(fetched_at, here), `${today.fetched}`, `${today.failed + today.refused}`,
    last === null ? '' : last.reason === null ? last.state : `${last.state} (${last.reason}${last.status === null ? '' : `, ${last.status}`})`,
  ])
  return [
    ...(reading ? [] : ['nobody reads: the reader starts with Castellan, and its first source takes a new start', '']),
    table(terminal, ['NAME', 'KIND', 'STATE', 'LABEL', 'SNAPSHOT', 'FETCHED', 'FAILED', 'LAST'], rows),
    ...sources.flatMap(({ name, refused_hosts }) => refused_hosts.map((host) => terminal.paint('red', `${name}: its command was refused ${JSON.stringify(host)}`))),
  ].join('\n')
}
