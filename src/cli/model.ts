import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import type { ToolRunView, UpstreamView } from '../server/index.ts'
import { proposedText, readEnd, revokedText, type ProposedClearance, type RevokedClearance } from './clearance/clearances.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { exitCodes } from './command/exit-codes.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { wholeNumber } from './command/parse-option.ts'
import { cancelBatch, listBatches } from './model/batches.ts'
import { findModel, testNamedModel } from './model/test-named-model.ts'
import { table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { counted, duration, money } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const model = program.command('model').description('The models of the house and what was asked of them')

  addCommand(model, cli, {
    usage: 'list',
    summary: 'Upstreams: whether they answer, what they have, what is routed to them and what was asked of them today',
    async run({ server }) {
      return outcome(await (await server()).get<UpstreamView[]>('/api/models', { fresh: 1 }), upstreamList)
    },
  })

  addCommand<TestOptions>(model, cli, {
    usage: 'test [name]',
    summary: 'A model: where it runs, how fast it is, what it can do. A task, or all of them: which model answers a job of lane private',
    configure: (command) => void command.option('--lane <lane>', 'whose rules the questions to a model obey (default: private, for the cloud open)'),
    run: test,
  })

  addCommand<{ expires?: string }>(model, cli, {
    usage: 'own <name>',
    summary: 'Propose that another machine is your own and may see P3; it may not before you have signed that',
    changes: true,
    configure: (command) => void command.option('--expires <date>', 'until when: a day such as 2027-03-31, or a span such as 90d (default: until you take it back)'),
    async run({ args, options, here, releaser }) {
      const wanted = { upstream: args[0]!, expires_at: readEnd(options.expires, here.now) }
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would make a draft that says the machine of ${wanted.upstream} is your own` }, (data) => data.would)
      return outcome({ ...(await client.post<ProposedClearance>('/clearances', wanted)), state: 'waiting' }, (data) => proposedText(data))
    },
  })

  addCommand(model, cli, {
    usage: 'disown <name>',
    summary: 'Take back that a machine is your own; at once, without a signature',
    changes: true,
    async run({ args, options, releaser }) {
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would take back that the machine of ${args[0]} is your own` }, (data) => data.would)
      return outcome(await client.post<RevokedClearance>('/clearances/revoke', { lane: null, upstream: args[0] }), (data) => revokedText(data, `${data.upstream} sees no P3 any more, and P2 at most.`))
    },
  })

  addCommand<{ limit?: number }>(model, cli, {
    usage: 'batches',
    summary: 'Bulk work that programs have sent in: how far it is, and what it has cost',
    configure: (command) => void command.option('-n, --limit <number>', 'how many', wholeNumber, 20),
    run: listBatches,
  })

  addCommand(model.command('batch').description('Bulk work that programs have sent in'), cli, {
    usage: 'cancel <batch>',
    summary: 'Ask no further line of a batch; its id may be cut to its end or beginning',
    changes: true,
    run: cancelBatch,
  })
}

function upstreamList(upstreams: UpstreamView[], terminal: Terminal): string {
  if (upstreams.length === 0) return 'The house names no model. Jobs do what they can without one, and say so.'
  const rows = upstreams.map((one) => [
    one.name, paintState(terminal, one.state), one.owned === true ? `${one.zone}, your own` : one.zone, one.latency_ms === null ? '' : `${Math.ceil(one.latency_ms)} ms`, installed(one),
    one.routes.map(({ task, model }) => `${task}: ${model}`).join(', '), String(one.calls), String(one.failed),
    String(one.input_tokens + one.output_tokens), money(one.cost_eur),
  ])
  const head = ['UPSTREAM', 'STATE', 'ZONE', 'LATENCY', 'MODELS', 'FOR', 'CALLS TODAY', 'FAILED', 'TOKENS', 'COST']
  const why = [
    ...upstreams.filter((one) => one.state !== 'answers').map((one) => `${one.name} (${one.kind}, ${one.url}): ${one.reason}`),
    ...upstreams.filter((one) => one.owned === false).map((one) => `${one.name} (${one.url}) counts as a machine of the mesh, P2 at most, until you have signed that it is your own: castellan model own ${one.name}`),
  ]
  const resting = upstreams.flatMap((one) => one.resting.map(({ model, for_ms }) => `${one.name}: ${model} kept failing or asked for it, and is not asked for ${duration(for_ms)}`))
  return [table(terminal, head, rows), ...(resting.length > 0 ? [resting.join('\n')] : []), ...(why.length > 0 ? [why.join('\n')] : [])].join('\n\n')
}

const mostNames = 6

/** A model that runs elsewhere than its upstream says so; of a long list the beginning. */
function installed({ zone, models }: UpstreamView): string {
  const names = models.slice(0, mostNames).map((model) => `${model.name}${model.embedding ? ' (embeddings)' : model.zone === zone ? '' : ` (${model.zone})`}`)
  return [...names, ...(models.length > mostNames ? [`${models.length - mostNames} more`] : [])].join(', ')
}

interface TestOptions {
  readonly lane?: string
}

interface Tested {
  task: string
  state: 'answered' | 'failed'
  model: string | null
  took_ms: number
  error: { code: string; message: string } | null
}

async function test(invocation: Invocation<TestOptions>): Promise<Outcome> {
  const { server, args: [name], options, say, err } = invocation
  const client = await server()
  const upstreams = await client.get<UpstreamView[]>('/api/models', { fresh: 1 })
  const known = [...new Set(upstreams.flatMap(({ routes }) => routes.map((route) => route.task)))]
  const found = name === undefined || known.includes(name) ? undefined : findModel(name, upstreams)
  if (found) return testNamedModel(invocation, found, options.lane)
  const tasks = name === undefined ? known : [name]
  if (tasks.length === 0) throw new Fault('missing', 'model.none', 'the house routes no task to a model; `models.routes` in castellan.yaml does')
  const tested: Tested[] = []
  for (const task of tasks) {
    say(err.paint('dim', `asking for ${task}`))
    const began = performance.now()
    const input = { task, prompt: 'Answer with the one word: ready', maxTokens: 10 }
    const { state, output, error } = await client.post<ToolRunView>('/api/tools/model.ask/run', { input }, { patience: 150 })
    const answered = state === 'succeeded'
    tested.push({ task, state: answered ? 'answered' : 'failed', model: answered ? (output as { model: string }).model : null, took_ms: Math.round(performance.now() - began), error })
  }
  return outcome(tested, (data, terminal) => table(terminal, ['TASK', 'STATE', 'MODEL', 'TOOK', 'WHY'], data.map((one) => [
    one.task, paintState(terminal, one.state), one.model ?? '', duration(one.took_ms), one.error?.message ?? '',
  ])), failureOf(tested))
}

function failureOf(tested: readonly Tested[]): Outcome['failure'] {
  const failed = tested.filter((one) => one.state === 'failed')
  if (failed.length === 0) return undefined
  const exit = failed.length === tested.length ? exitCodes.unreachable : exitCodes.partial
  return { exit, code: 'model.silent', message: `${counted(failed.length, 'task')} of ${tested.length} found no model; jobs do what they can without one, and say so` }
}
