import type { Command } from 'commander'
import type { ToolRunView, ToolView } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { parseInput, wholeNumber } from './command/parse-option.ts'
import { runFailure } from './run/watch-run.ts'
import { table } from './terminal/table.ts'
import { labelWords, shortId } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const tool = program.command('tool').description('Everything a job can do; each can be run by itself')

  addCommand(tool, cli, {
    usage: 'list',
    summary: 'The tools, their effect and their input',
    async run({ server }) {
      return outcome(await (await server()).get<ToolView[]>('/api/tools'), (tools, terminal) =>
        table(terminal, ['TOOL', 'EFFECT', 'INPUT', 'SUMMARY'], tools.map((one) => [one.name, one.effect, inputNames(one), one.summary])))
    },
  })

  addCommand<{ input: Record<string, unknown>; timeout: number }>(tool, cli, {
    usage: 'run <name>',
    summary: 'Run one tool, as a run in the ledger like any other',
    changes: true,
    configure: (command) => void command
      .option('--input <json>', 'the input of the tool: a JSON object', parseInput, {})
      .option('--timeout <seconds>', 'how long to wait for it; it goes on when the time is up', wholeNumber, 120),
    async run({ server, args, options, say, err }) {
      const client = await server()
      if (options.dryRun) {
        const known = (await client.get<ToolView[]>('/api/tools')).find((one) => one.name === args[0])
        return outcome({ state: 'dry_run', would: `would run ${args[0]}`, tool: known ?? null, input: options.input }, (data) => `${data.would} with ${JSON.stringify(data.input)}`)
      }
      const done = await client.post<ToolRunView>(`/api/tools/${encodeURIComponent(args[0]!)}/run`, { input: options.input, wait: options.timeout }, { patience: options.timeout + 15 })
      say(err.paint('dim', origin(done)))
      return outcome(done, outputText, runFailure({ id: done.run, state: done.state, error: done.error }))
    },
  })
}

/** Text as text, everything else as JSON, so that it can be piped on. */
function outputText({ state, output }: ToolRunView): string {
  if (state !== 'succeeded') return ''
  return typeof output === 'string' ? output : JSON.stringify(output, undefined, 2)
}

function origin({ run, tool, label, made_without_model }: ToolRunView): string {
  return `${tool}, run ${shortId(run)}, ${labelWords(label)}${made_without_model ? ', made without a model' : ''}`
}

function inputNames({ input }: ToolView): string {
  const { properties = {}, required = [] } = input as { properties?: Record<string, unknown>; required?: string[] }
  return Object.keys(properties).map((name) => (required.includes(name) ? name : `[${name}]`)).join(' ')
}
