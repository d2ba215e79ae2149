import type { Command } from 'commander'
import type { LogLine, RedrivenRun, RunDetail, RunSummary } from '../server/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { wholeNumber } from './command/parse-option.ts'
import { redrivenText } from './run/redriven-text.ts'
import { runTable } from './run/run-table.ts'
import { runText } from './run/run-text.ts'
import { runFailure, watchRun } from './run/watch-run.ts'
import type { Terminal } from './terminal/terminal.ts'
import { moment, shortId, type Here } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const run = program.command('run').description('Runs: their timeline and log, and what you may do with them')

  addCommand<{ job?: string; state?: string; limit: number }>(run, cli, {
    usage: 'list',
    summary: 'Runs, the newest first',
    configure: (command) => void command
      .option('--job <name>', 'of one job')
      .option('--state <state>', 'waiting, queued, running, parked, succeeded, cancelled or dead')
      .option('-n, --limit <number>', 'how many', wholeNumber, 20),
    async run({ server, options: { job, state, limit }, here }) {
      const runs = await (await server()).get<RunSummary[]>('/api/runs', { job, state, limit })
      return outcome(runs, (data, terminal) => runTable(data, terminal, here, 'No run yet. castellan job run NAME starts one.'))
    },
  })

  addCommand(run, cli, {
    usage: 'show <run>',
    summary: 'The timeline of a run; its id may be cut to its end or beginning',
    async run({ server, args, here }) {
      return outcome(await (await server()).get<RunDetail>(pathOf(args)), (data, terminal) => runText(data, terminal, here))
    },
  })

  addCommand<{ limit: number }>(run, cli, {
    usage: 'logs <run>',
    summary: 'What the steps of a run logged',
    configure: (command) => void command.option('-n, --limit <number>', 'how many lines, from the end', wholeNumber, 500),
    async run({ server, args, options, here }) {
      const lines = await (await server()).get<LogLine[]>(`${pathOf(args)}/logs`, { limit: options.limit })
      return outcome(lines, (data, terminal) => (data.length === 0 ? 'This run logged nothing.' : data.map((line) => logLine(line, terminal, here)).join('\n')))
    },
  })

  addCommand<{ from?: string; wait?: boolean }>(run, cli, {
    usage: 'retry <run>',
    summary: 'Take a closed run up again where it stopped, or from a step on',
    changes: true,
    configure: (command) => void command.option('--from <step>', 'repeat this step and all after it').option('--wait', 'watch it until it is closed or waits for you'),
    run: retry,
  })

  addCommand(run, cli, {
    usage: 'cancel <run>',
    summary: 'End a run that is not closed; what it did stays',
    changes: true,
    async run({ server, args, options, ask }) {
      const client = await server()
      const found = await client.get<RunDetail>(pathOf(args))
      if (options.dryRun) return wouldDo(found, `would cancel run ${shortId(found.id)} of ${found.job}, which is ${found.state}`)
      if (!(await ask.confirm(`Cancel run ${shortId(found.id)} of ${found.job}?`))) return outcome({ id: found.id, state: found.state }, () => 'Nothing was changed.')
      const done = await client.post<{ id: string; state: string }>(`/api/runs/${found.id}/cancel`)
      return outcome(done, (data) => `run ${shortId(data.id)} is ${data.state}`)
    },
  })
}

async function retry(invocation: Invocation<{ from?: string; wait?: boolean }>): Promise<Outcome> {
  const { args, options, here } = invocation
  const server = await invocation.server()
  if (options.dryRun) {
    const found = await server.get<RunDetail>(pathOf(args))
    return wouldDo(found, `would take up run ${shortId(found.id)} of ${found.job}, which is ${found.state}, ${options.from ? `from step ${options.from} on` : 'where it stopped'}`)
  }
  const redriven = await server.post<RedrivenRun>(`${pathOf(args)}/retry`, options.from === undefined ? {} : { from: options.from })
  if (!options.wait) return outcome(redriven, (data) => `${redrivenText(data)}; castellan run show ${shortId(data.id)}`)
  if (redriven.state === 'waiting') invocation.say(redrivenText(redriven))
  const run = await watchRun(invocation, server, redriven.id)
  return outcome<RunDetail>(run, (data, terminal) => runText(data, terminal, here), runFailure(run))
}

function wouldDo(run: RunDetail, would: string): Outcome {
  return outcome({ state: 'dry_run', would, run }, (data) => data.would)
}

function pathOf(args: readonly (string | undefined)[]): string {
  return `/api/runs/${encodeURIComponent(args[0]!)}`
}

function logLine({ at, step, level, message, fields }: LogLine, terminal: Terminal, here: Here): string {
  const more = Object.keys(fields).length === 0 ? '' : ` ${terminal.paint('dim', JSON.stringify(fields))}`
  const loud = level === 'info' ? level : terminal.paint(level === 'error' ? 'red' : 'yellow', level)
  return `${terminal.paint('dim', moment(at, here))} ${loud} ${step ?? '-'}: ${message}${more}`
}
