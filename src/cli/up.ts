import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, writeOutcome, type Outcome } from './command/outcome.ts'
import { notRunning } from './connection/running-house.ts'
import { pairs } from './terminal/table.ts'
import { paintState, terminalOf, type Terminal } from './terminal/terminal.ts'

interface UpView {
  state: 'up' | 'partly_up'
  pid: number
  home: string
  page: string
  house: string
  isolation: { mode: string; detail: string }
  processes: { name: string; state: string }[]
  problems: readonly { file: string; line: number; column: number; severity: string; what: string; instead: string }[]
}

export function register(program: Command, cli: Cli): void {
  addCommand<{ house?: string }>(program, cli, {
    usage: 'up',
    summary: 'Start the house and keep it running until Ctrl-C or `castellan down`',
    configure: (command) => void command.option('--house <folder>', 'the folder that you own (default: $CASTELLAN_HOUSE, else house in the home)'),
    run: (invocation) => start(invocation, cli),
  })
}

export function registerDown(program: Command, cli: Cli): void {
  addCommand(program, cli, {
    usage: 'down',
    summary: 'Stop the house: no new work, then what is running ends, then all processes',
    changes: true,
    run: stop,
  })
}

async function start({ home, options, say, io, err }: Invocation<{ house?: string }>, cli: Cli): Promise<Outcome> {
  const { up } = await import('../processes/up.ts')
  const stopped = Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
  const running = await up({ home, ...(options.house !== undefined && { house: options.house }), onProgress: (line) => say(err.paint('dim', line)) })
  await Promise.race([running.settled, stopped])
  const processes = [...running.processes.values()].map(({ state }) => ({ name: state.name, state: state.state }))
  const { settings, folder } = running.house.house
  const view: UpView = {
    state: processes.every((one) => one.state === 'ready') ? 'up' : 'partly_up',
    pid: process.pid,
    home,
    page: `http://127.0.0.1:${settings.ports.server}`,
    house: folder,
    isolation: { mode: running.isolation.mode, detail: running.isolation.detail },
    processes,
    problems: running.house.problems,
  }
  cli.exit(writeOutcome(io, terminalOf(io.stdout, io.env), options.json === true, outcome(view, (data, terminal) => upText(data, terminal, io.env))))
  await stopped
  say(err.paint('dim', 'stopping'))
  await running.stop()
  return outcome({ state: 'down' }, () => '')
}

async function stop({ home, options }: Invocation): Promise<Outcome> {
  const { homeHolder } = await import('../processes/lock-home.ts')
  const pid = homeHolder(home)
  if (pid === undefined) throw notRunning(home)
  if (options.dryRun) return outcome({ state: 'dry_run', would: `would stop process ${pid}` }, (data) => data.would)
  process.kill(pid, 'SIGTERM')
  for (const deadline = performance.now() + longestStopMs; homeHolder(home) === pid; await delay(100)) {
    if (performance.now() > deadline) throw new Fault('timeout', 'down.late', `process ${pid} has not stopped within ${longestStopMs / 1000} s; look into ${home}/log/up.log`)
  }
  return outcome({ state: 'down', pid, home }, () => 'Castellan has stopped.')
}

const longestStopMs = 60_000

function upText(view: UpView, terminal: Terminal, env: NodeJS.ProcessEnv): string {
  const command = env.npm_lifecycle_event === undefined ? 'castellan' : 'npx castellan'
  const facts: [string, string][] = [
    ['page', view.page],
    ['house', view.house],
    ['home', view.home],
    ['isolation', view.isolation.mode === 'demonstration' ? terminal.paint('yellow', `demonstration: ${view.isolation.detail}`) : view.isolation.mode],
    ...view.processes.filter((one) => one.state !== 'ready').map((one): [string, string] => [one.name, `${paintState(terminal, one.state)}; see ${view.home}/log/${one.name}.log`]),
  ]
  const problems = view.problems.map((problem) => terminal.paint('yellow', `${problem.file}:${problem.line}:${problem.column} ${problem.what}; ${problem.instead}`))
  return [
    terminal.paint('bold', view.state === 'up' ? 'Castellan is up.' : 'Castellan is up, but not whole.'),
    pairs(terminal, facts),
    ...(problems.length > 0 ? [problems.join('\n')] : []),
    `In another terminal: ${command} today. Ctrl-C stops it.`,
  ].join('\n')
}
