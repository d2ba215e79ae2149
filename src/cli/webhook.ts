import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import type { WebhooksView } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { distance, labelWords, type Here } from './terminal/wording.ts'
import { testWebhook } from './webhook/test-webhook.ts'

export function register(program: Command, cli: Cli): void {
  const webhook = program.command('webhook').description('What other services deliver to you: payments, pushes, sales')

  addCommand(webhook, cli, {
    usage: 'list',
    summary: 'The declared webhooks, what they start, and what was delivered today',
    async run({ server, here }) {
      return outcome(await (await server()).get<WebhooksView>('/api/webhooks'), (view, terminal) => listText(view, terminal, here))
    },
  })

  addCommand<{ event?: string; type: string }>(webhook, cli, {
    usage: 'test <name>',
    summary: 'Deliver an event to yourself, signed with your secret; it starts what such an event starts',
    changes: true,
    configure: (command) => void command
      .option('--event <file>', 'the body to deliver; otherwise a small sample')
      .option('--type <type>', 'the type of the sample, and for github of the event', 'castellan.test'),
    async run({ args, options, home, here, server }) {
      const view = await (await server()).get<WebhooksView>('/api/webhooks')
      const found = view.webhooks.find(({ name }) => name === args[0])
      if (!found) throw new Fault('missing', 'webhook.missing', `there is no webhook ${args[0]}; ${view.webhooks.length === 0 ? 'declare one under webhooks in castellan.yaml' : `there are: ${view.webhooks.map(({ name }) => name).join(', ')}`}`)
      return testWebhook({ home, now: here.now, port: view.port, webhook: found, type: options.type, dryRun: options.dryRun === true, ...(options.event !== undefined && { file: options.event }) })
    },
  })
}

function listText({ port, webhooks, unknown }: WebhooksView, terminal: Terminal, here: Here): string {
  if (webhooks.length === 0) return 'no webhook is declared; docs/recipes/receive-webhooks.md says how'
  const rows = webhooks.map(({ name, kind, state, label, jobs, today, waiting, last_at }) => [
    name, kind, paintState(terminal, state.replace('_', ' ')), labelWords(label), jobs.join(', ') || 'none', `${today.stored}${waiting > 0 ? ` (${waiting} waiting)` : ''}`, refusedText(today),
    last_at === null ? 'never' : distance(last_at, here),
  ])
  return [
    port === null ? 'nothing listens: a process is told of its first webhook when it starts' : `deliveries go to http://127.0.0.1:${port}/hooks/NAME, through your reverse proxy`,
    ...(unknown > 0 ? [`${unknown} deliveries went to names that are not declared today`] : []),
    '',
    table(terminal, ['NAME', 'KIND', 'STATE', 'LABEL', 'STARTS', 'TODAY', 'REFUSED', 'LAST'], rows),
    ...webhooks.flatMap(({ name, problems }) => problems.map((problem) => terminal.paint('red', `${name}: ${problem}`))),
  ].join('\n')
}

function refusedText({ refused, reasons }: WebhooksView['webhooks'][number]['today']): string {
  return refused === 0 ? '0' : `${refused} (${Object.entries(reasons).map(([reason, count]) => `${count} ${reason}`).join(', ')})`
}
