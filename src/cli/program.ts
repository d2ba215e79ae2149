import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { toFault, Fault } from '../kernel/fault.ts'
import type { ErrorView } from '../server/index.ts'
import type { Cli } from './command/add-command.ts'
import { exitCodeOf, exitCodes, type ExitCode } from './command/exit-codes.ts'
import { writeError } from './command/outcome.ts'
import { terminalOf, type Io } from './terminal/terminal.ts'

interface Group {
  readonly name: string
  readonly summary: string
  /** Loaded only when it is named, so that each command starts fast. */
  load(): Promise<{ register(program: Command, cli: Cli): void }>
}

const groups: readonly Group[] = [
  { name: 'today', summary: 'what needs you, what ran, what did not and why', load: () => import('./today.ts') },
  { name: 'draft', summary: 'what waits for your signature: show, approve, deny, undo', load: () => import('./draft.ts') },
  { name: 'outbox', summary: 'the outbox as a whole: status, resume after a restore', load: () => import('./outbox.ts') },
  { name: 'order', summary: 'standing orders: list, show, propose, revoke', load: () => import('./order.ts') },
  { name: 'job', summary: 'jobs: list, show, next fires, run, pause, history', load: () => import('./job.ts') },
  { name: 'run', summary: 'runs: list, timeline, log, retry, cancel', load: () => import('./run.ts') },
  { name: 'dead', summary: 'runs that gave up: list, redrive', load: () => import('./dead.ts') },
  { name: 'tool', summary: 'everything a job can do: list, run one', load: () => import('./tool.ts') },
  { name: 'source', summary: 'what is read from outside: list', load: () => import('./source.ts') },
  { name: 'webhook', summary: 'what other services deliver: list, test', load: () => import('./webhook.ts') },
  { name: 'model', summary: 'models: list, test, own, disown', load: () => import('./model.ts') },
  { name: 'lane', summary: 'lanes: list, clear a provider for P2, take it back', load: () => import('./lane.ts') },
  { name: 'key', summary: 'keys for other programs: create, list, show, revoke', load: () => import('./key.ts') },
  { name: 'connect', summary: 'what to paste into another program so that it asks your gates', load: () => import('./connect.ts') },
  { name: 'spend', summary: 'what models cost, and what the ceilings have left', load: () => import('./spend.ts') },
  { name: 'alerts', summary: 'what somebody should look at: list, show, ack', load: () => import('./alerts.ts') },
  { name: 'secrets', summary: 'credentials: render, status, rotate, scan', load: () => import('./secrets.ts') },
  { name: 'audit', summary: 'the sealed record: verify, show', load: () => import('./audit.ts') },
  { name: 'signin', summary: 'a link that signs your browser in, once', load: () => import('./signin.ts') },
  { name: 'session', summary: 'browsers that are signed in: list, revoke', load: () => import('./session.ts') },
  { name: 'status', summary: 'processes, database, queue, house', load: () => import('./status.ts') },
  { name: 'doctor', summary: 'checks each part and names the command that mends it', load: () => import('./doctor.ts') },
  { name: 'init', summary: 'make a house: the folder that you own', load: () => import('./init.ts') },
  { name: 'up', summary: 'start the house and keep it running', load: () => import('./up.ts') },
  { name: 'down', summary: 'stop the house', load: async () => ({ register: (await import('./up.ts')).registerDown }) },
  { name: 'service', summary: 'let the system keep the house: install, status, uninstall', load: () => import('./service.ts') },
  { name: 'expose', summary: 'what opens the pages to your other devices, over the mesh only', load: () => import('./expose.ts') },
  { name: 'reload', summary: 'read the house folder again', load: () => import('./reload.ts') },
  { name: 'config', summary: 'the house folder: check, explain a key', load: () => import('./config.ts') },
  { name: 'operator', summary: 'your signing keys: init, enroll, list', load: () => import('./operator.ts') },
  { name: 'database', summary: 'SQL for a PostgreSQL of your own', load: () => import('./database.ts') },
  { name: 'completion', summary: 'completion for bash, zsh or fish', load: () => import('./completion.ts') },
]

const examples = `
Examples:
  castellan up                          start the house
  castellan today                       the morning page
  castellan draft show 4f2a91c7         all that a signature would cover
  castellan job run morning-mail --wait run a job now and watch it

Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration, 4 not allowed, 5 not reachable, 6 conflict, 7 partly done.`

/** Runs one command line; returns its exit code. */
export async function runCli(argv: readonly string[], io: Io, now: () => Date = () => new Date()): Promise<ExitCode> {
  const json = argv.includes('--json')
  let exit: ExitCode = exitCodes.ok
  const cli: Cli = { io, now, exit: (code) => (exit = code) }
  let complaint = ''
  const program = new Command('castellan')
    .description("Runs one operator's back office: nothing leaves the house until you have signed the exact bytes.")
    .version(packageJson.version, '-V, --version')
    .option('--json', 'print one JSON envelope on stdout')
    .option('--home <folder>', 'the home of the house (default: $CASTELLAN_HOME)')
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => (complaint += text) })
  try {
    await addGroups(program, cli, firstWord(argv))
    if (argv.length === 0) program.outputHelp()
    else await program.parseAsync(argv, { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok
    const fault = error instanceof CommanderError ? usageFault(error, complaint) : toFault(error)
    if (!json && fault.code === 'usage.help') io.stderr.write(complaint)
    else writeError(io, terminalOf(io.stderr, io.env), json, errorView(fault))
    if (fault.kind === 'internal' && io.env.CASTELLAN_DEBUG) io.stderr.write(`${(error as Error).stack}\n`)
    return exitCodeOf(fault)
  }
}

/** Every group, in its place; all but the one that was called only by name. `completion` needs to see them all. */
async function addGroups(program: Command, cli: Cli, called: string | undefined): Promise<void> {
  for (const group of groups) {
    if (group.name === called || called === 'completion') (await group.load()).register(program, cli)
    else program.command(group.name).description(group.summary)
  }
}

function firstWord(argv: readonly string[]): string | undefined {
  const rest = argv.filter((word, index) => !word.startsWith('-') && argv[index - 1] !== '--home')
  return rest[0] === 'help' ? rest[1] : rest[0]
}

function usageFault({ code }: CommanderError, complaint: string): Fault {
  // a group without its command: commander has written the help of the group
  if (code === 'commander.help') return new Fault('invalid', 'usage.help', 'say which of its commands; --help lists them')
  return new Fault('invalid', 'usage', complaint.trim().replace(/^error: /, ''))
}

function errorView({ code, message, details }: Fault): ErrorView {
  return { code, message, ...(Object.keys(details).length > 0 && { details }) }
}
