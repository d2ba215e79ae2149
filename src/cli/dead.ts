import type { Command } from 'commander'
import { Fault, toFault } from '../kernel/fault.ts'
import type { RedrivenRun, RunSummary } from '../server/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { exitCodeOf, exitCodes } from './command/exit-codes.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { redrivenText } from './run/redriven-text.ts'
import { runTable } from './run/run-table.ts'
import { counted, shortId } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const dead = program.command('dead').description('Runs that gave up after all their tries')

  addCommand(dead, cli, {
    usage: 'list',
    summary: 'Runs that gave up, and why',
    async run({ server, here }) {
      const runs = await (await server()).get<RunSummary[]>('/api/dead')
      return outcome(runs, (data, terminal) => runTable(data, terminal, here, 'No run gave up.'))
    },
  })

  addCommand<{ all?: boolean }>(dead, cli, {
    usage: 'redrive [runs...]',
    summary: 'Take runs that gave up again where they stopped',
    changes: true,
    configure: (command) => void command.option('--all', 'every run that gave up'),
    run: redrive,
  })
}

type Redriven = RedrivenRun | { id: string; state: 'failed'; error: { code: string; message: string } }

async function redrive({ server, args, options, ask }: Invocation<{ all?: boolean }>): Promise<Outcome> {
  const named = (args[0] ?? []) as unknown as string[]
  if (named.length === 0 && !options.all) throw new Fault('invalid', 'usage', 'say which runs: castellan dead redrive ID, or --all')
  const client = await server()
  const ids = options.all ? (await client.get<RunSummary[]>('/api/dead', { limit: 1000 })).map((run) => run.id) : named
  if (options.dryRun) return outcome(ids.map((id) => ({ id, state: 'dry_run' })), (data) => `would take up again: ${data.map((one) => shortId(one.id)).join(', ') || 'none'}`)
  if (options.all && ids.length > 0 && !(await ask.confirm(`Take up ${counted(ids.length, 'run')} again?`))) return outcome([], () => 'Nothing was changed.')
  const done: Redriven[] = []
  const faults: Fault[] = []
  for (const id of ids) {
    try {
      done.push(await client.post<RedrivenRun>(`/api/dead/${encodeURIComponent(id)}/redrive`))
    } catch (error) {
      const fault = toFault(error)
      faults.push(fault)
      done.push({ id, state: 'failed', error: { code: fault.code, message: fault.message } })
    }
  }
  return outcome(done, redriveText, failureOf(ids.length, faults))
}

function failureOf(asked: number, faults: readonly Fault[]): Outcome['failure'] {
  const [first] = faults
  if (first === undefined) return undefined
  if (faults.length === asked) return { exit: exitCodeOf(first), code: first.code, message: first.message }
  return { exit: exitCodes.partial, code: 'dead.partial', message: `${faults.length} of ${asked} runs could not be taken up again` }
}

function redriveText(done: Redriven[]): string {
  if (done.length === 0) return 'No run gave up.'
  return done.map((one) => ('error' in one ? `${shortId(one.id)}: ${one.error.message}` : redrivenText(one))).join('\n')
}
