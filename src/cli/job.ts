import type { Command } from 'commander'
import type { FireView, JobDetail, JobSummary, OccurrenceView, OpenedRun, RunDetail } from '../server/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { parseInput, wholeNumber } from './command/parse-option.ts'
import { runFailure, watchRun } from './run/watch-run.ts'
import { runText } from './run/run-text.ts'
import { pairs, table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { distance, duration, labelWords, moment, shortId, type Here } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const job = program.command('job').description('Jobs: what they are, when they run, what became of them')

  addCommand(job, cli, {
    usage: 'list',
    summary: 'The jobs of the house',
    async run({ server, here }) {
      return outcome(await (await server()).get<JobSummary[]>('/api/jobs'), (jobs, terminal) => jobTable(jobs, terminal, here))
    },
  })

  addCommand(job, cli, {
    usage: 'show <name>',
    summary: 'One job: schedule, lane, label, policies, steps',
    async run({ server, args, here }) {
      return outcome(await (await server()).get<JobDetail>(pathOf(args)), (data, terminal) => jobText(data, terminal, here))
    },
  })

  addCommand<{ count: number }>(job, cli, {
    usage: 'next <name>',
    summary: 'The next fires of a job',
    configure: (command) => void command.option('-n, --count <number>', 'how many', wholeNumber, 5),
    async run({ server, args, options, here }) {
      const fires = await (await server()).get<FireView[]>(`${pathOf(args)}/next`, { limit: options.count })
      return outcome(fires, (data, terminal) => data.length === 0
        ? `${args[0]} has no schedule: it runs when it is told to (castellan job run ${args[0]})`
        : table(terminal, ['AT', 'ZONE', '', 'SCHEDULE'], data.map((fire) => [moment(fire.at, { ...here, timezone: fire.timezone }), fire.timezone, distance(fire.at, here), fire.cron])))
    },
  })

  addCommand<{ limit: number }>(job, cli, {
    usage: 'history <name>',
    summary: 'What became of every slot of a job, the newest first',
    configure: (command) => void command.option('-n, --limit <number>', 'how many', wholeNumber, 20),
    async run({ server, args, options, here }) {
      const slots = await (await server()).get<OccurrenceView[]>(`${pathOf(args)}/history`, { limit: options.limit })
      return outcome(slots, (data, terminal) => data.length === 0
        ? `${args[0]} has not had a slot yet (castellan job next ${args[0]})`
        : table(terminal, ['SLOT', 'ORIGIN', 'STATE', 'RUN', 'WHY'], data.map((slot) => [
            moment(slot.slot, here), slot.origin, paintState(terminal, slot.state), slot.run === null ? '' : shortId(slot.run), slot.reason ?? '',
          ])))
    },
  })

  addCommand<RunOptions>(job, cli, {
    usage: 'run <name>',
    summary: 'Run a job now',
    changes: true,
    configure: (command) => void command
      .option('--wait', 'watch it until it is closed or waits for you; exit 1 unless it succeeded')
      .option('--input <json>', 'what the job gets as `input`: a JSON object', parseInput)
      .option('--key <key>', 'idempotency key: the same key again answers with the first run'),
    run: runNow,
  })

  for (const [verb, summary] of [['pause', 'Hold the schedule of a job; slots that pass are recorded as skipped'], ['resume', 'Let the schedule of a job go on']] as const) {
    addCommand(job, cli, {
      usage: `${verb} <name>`,
      summary,
      changes: true,
      async run({ server, args, options }) {
        const client = await server()
        if (options.dryRun) return wouldDo(await client.get<JobDetail>(pathOf(args)), `would ${verb} ${args[0]}`)
        return outcome(await client.post<{ name: string; state: string }>(`${pathOf(args)}/${verb}`), (data) => `${data.name} is ${data.state}`)
      },
    })
  }
}

interface RunOptions {
  readonly wait?: boolean
  readonly input?: Record<string, unknown>
  readonly key?: string
}

async function runNow(invocation: Invocation<RunOptions>): Promise<Outcome> {
  const { args, options, here } = invocation
  const server = await invocation.server()
  if (options.dryRun) {
    const job = await server.get<JobDetail>(pathOf(args))
    return wouldDo(job, `would run ${job.name} now: ${job.steps.map((step) => `${step.id} (${step.uses})`).join(', ')}`)
  }
  const opened = await server.post<OpenedRun>(`${pathOf(args)}/run`, { ...(options.input && { input: options.input }), ...(options.key && { key: options.key }) })
  if (!options.wait) return outcome(opened, openedText)
  if (opened.outcome !== 'opened') invocation.say(openedText(opened))
  const run = await watchRun(invocation, server, opened.id)
  return outcome<RunDetail>(run, (data, terminal) => runText(data, terminal, here), runFailure(run))
}

function openedText({ id, job, outcome }: OpenedRun): string {
  const show = `castellan run show ${shortId(id)}`
  if (outcome === 'opened') return `${job} runs as ${shortId(id)}; ${show}`
  if (outcome === 'waiting') return `${job} is queued as ${shortId(id)} behind a run that is not finished; ${show}`
  if (outcome === 'skipped') return `${job} was not run: run ${shortId(id)} of it is not finished (overlap: skip); ${show}`
  return `that request was made before; it is run ${shortId(id)}: ${show}`
}

function wouldDo(job: JobDetail, would: string): Outcome {
  return outcome({ state: 'dry_run', would, job }, (data) => data.would)
}

function pathOf(args: readonly (string | undefined)[]): string {
  return `/api/jobs/${encodeURIComponent(args[0]!)}`
}

function jobTable(jobs: JobSummary[], terminal: Terminal, here: Here): string {
  if (jobs.length === 0) return 'The house has no jobs. A file jobs/NAME.yaml in the house folder makes one; then castellan reload.'
  return table(terminal, ['JOB', 'STATE', 'LANE', 'NEXT', 'LAST RUN', 'SUMMARY'], jobs.map((job) => [
    job.name, paintState(terminal, job.state), job.lane,
    job.next === null ? '' : moment(job.next, here),
    job.last === null ? '' : `${paintState(terminal, job.last.state)} ${distance(job.last.opened_at, here)}`,
    job.summary,
  ]))
}

function jobText(job: JobDetail, terminal: Terminal, here: Here): string {
  const schedule = job.schedules.map(({ cron, timezone }) => `${cron}  (${timezone})`).join('\n') || 'none: it runs when it is told to'
  const facts: [string, string][] = [
    ['job', `${terminal.paint('bold', job.name)}  ${job.summary}`],
    ['state', paintState(terminal, job.state)],
    ['schedule', schedule],
    ...(job.next === null ? [] : [['next', `${moment(job.next, here)}, ${distance(job.next, here)}`] as [string, string]]),
    ['lane', job.lane],
    ['label', `starts with ${labelWords(job.label)}, its tools read up to ${job.reads_up_to}`],
    ['policies', `overlap ${job.overlap}, missed ${job.missed} after ${duration(job.grace_ms)}, ${job.tries} tries, at most ${duration(job.timeout_ms)}`],
    ...(job.last === null ? [] : [['last run', `${shortId(job.last.run)} ${paintState(terminal, job.last.state)} ${distance(job.last.opened_at, here)}`] as [string, string]]),
    ['digest', job.digest],
  ]
  const steps = job.steps.map((step, position) => [String(position + 1), step.id, step.uses, step.if ?? '', step.fallback ?? ''])
  return `${pairs(terminal, facts)}\n\n${table(terminal, ['', 'STEP', 'TOOL', 'ONLY IF', 'FALLBACK'], steps)}`
}
