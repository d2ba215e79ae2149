import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import type { ToolRunView, UpstreamView } from '../server/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { exitCodes } from './command/exit-codes.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import { paintState } from './terminal/terminal.ts'
import { counted, duration, money } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const model = program.command('model').description('The models of the house and what was asked of them')

  addCommand(model, cli, {
    usage: 'list',
    summary: 'Upstreams, what is routed to them, and what was asked of them today',
    async run({ server }) {
      return outcome(await (await server()).get<UpstreamView[]>('/api/models'), (upstreams, terminal) => upstreams.length === 0
        ? 'The house names no model. Jobs do what they can without one, and say so.'
        : table(terminal, ['UPSTREAM', 'KIND', 'ZONE', 'FOR', 'LAST CALL', 'CALLS', 'FAILED', 'COST', 'URL'], upstreams.map((one) => [
            one.name, one.kind, one.zone, one.routes.map(({ task, model }) => `${task}: ${model}`).join(', '), paintState(terminal, one.state),
            String(one.calls), String(one.failed), money(one.cost_eur), one.url,
          ])))
    },
  })

  addCommand(model, cli, {
    usage: 'test [task]',
    summary: 'Ask one short question per task, the way a job of lane private would, and see which model answers',
    run: test,
  })
}

interface Tested {
  task: string
  state: 'answered' | 'failed'
  model: string | null
  took_ms: number
  error: { code: string; message: string } | null
}

async function test({ server, args, say, err }: Invocation): Promise<Outcome> {
  const client = await server()
  const known = [...new Set((await client.get<UpstreamView[]>('/api/models')).flatMap(({ routes }) => routes.map((route) => route.task)))]
  const tasks = args[0] === undefined ? known : [args[0]]
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
