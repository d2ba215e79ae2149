import type { Command } from 'commander'
import { resolveHome } from '../../kernel/home.ts'
import type { ExitCode } from './exit-codes.ts'
import { findRunningHouse, type RunningHouse } from '../connection/running-house.ts'
import type { SocketClient } from '../connection/socket-client.ts'
import { writeOutcome, type Outcome } from './outcome.ts'
import { createAsker, type Asker } from '../terminal/ask.ts'
import { terminalOf, type Io, type Terminal } from '../terminal/terminal.ts'
import type { Here } from '../terminal/wording.ts'

/** The options that every command has; `dryRun` and `yes` where something changes. */
export interface CommonOptions {
  readonly json?: boolean
  readonly home?: string
  readonly input?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** One call of one command, and what it may use. */
export interface Invocation<O = object> {
  readonly args: readonly (string | undefined)[]
  readonly options: O & CommonOptions
  readonly io: Io
  readonly home: string
  readonly here: Here
  readonly ask: Asker
  /** For diagnostics and progress. */
  readonly err: Terminal
  say(line: string): void
  house(): RunningHouse
  server(): Promise<SocketClient>
  releaser(): Promise<SocketClient>
}

export interface CommandSpec<O> {
  /** Name and arguments, e.g. `show <run>`. */
  readonly usage: string
  readonly summary: string
  /** Adds --dry-run and --yes. */
  readonly changes?: boolean
  configure?(command: Command): void
  run(invocation: Invocation<O>): Promise<Outcome>
}

/** What the program hands to the modules of its commands. */
export interface Cli {
  readonly io: Io
  now(): Date
  /** Where the exit code of the command that ran is left. */
  exit(code: ExitCode): void
}

/** Adds a command that runs with the common options and writes its outcome. */
export function addCommand<O = object>(parent: Command, cli: Cli, spec: CommandSpec<O>): Command {
  const command = parent.command(spec.usage).description(spec.summary)
  spec.configure?.(command)
  command.option('--json', 'print one JSON envelope on stdout').option('--home <folder>', 'the home of the house (default: $CASTELLAN_HOME)').option('--no-input', 'never ask')
  if (spec.changes) command.option('-y, --yes', 'answer questions with yes').option('--dry-run', 'say what would be done, and do nothing')
  return command.action(async (...received: unknown[]) => {
    const called = received.at(-1) as Command
    const invocation = invoke<O>(cli, called.processedArgs as (string | undefined)[], called.optsWithGlobals())
    try {
      const outcome = await spec.run(invocation)
      cli.exit(writeOutcome(cli.io, terminalOf(cli.io.stdout, cli.io.env), invocation.options.json === true, outcome))
    } finally {
      await invocation.close()
    }
  })
}

function invoke<O>({ io, now }: Cli, args: (string | undefined)[], options: O & CommonOptions): Invocation<O> & { close(): Promise<void> } {
  const home = resolveHome(options.home === undefined ? io.env : { ...io.env, CASTELLAN_HOME: options.home })
  const clients: SocketClient[] = []
  const connect = async (socket: 'server' | 'releaser') => {
    const { createSocketClient } = await import('../connection/socket-client.ts')
    const client = createSocketClient(findRunningHouse(home).sockets[socket], home)
    clients.push(client)
    return client
  }
  let server: Promise<SocketClient> | undefined
  let releaser: Promise<SocketClient> | undefined
  return {
    args, options, io, home,
    here: { now: now(), timezone: timezoneOf(home) },
    ask: createAsker(io, options),
    err: terminalOf(io.stderr, io.env),
    say: (line) => {
      if (options.json !== true) io.stderr.write(`${line}\n`)
    },
    house: () => findRunningHouse(home),
    server: () => (server ??= connect('server')),
    releaser: () => (releaser ??= connect('releaser')),
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
    },
  }
}

function timezoneOf(home: string): string | undefined {
  try {
    return findRunningHouse(home).timezone
  } catch {
    return undefined
  }
}
