import { asTyped } from '../kernel/as-typed.ts'
import { toFault } from '../kernel/fault.ts'
import { describeProblem } from '../house/index.ts'
import { signingSite } from '../house/index.ts'
import { signinLink } from './signin-link.ts'
import { readUpState } from './up-state.ts'
import { up, type Up } from './up.ts'

export interface RunUpOptions {
  readonly home: string
  readonly house?: string
  readonly units?: boolean
  /** Does somebody look at a terminal? What signs in belongs into no journal, no file and no pipe. */
  readonly isWatched: boolean
  /** Where the lines for the operator go. */
  write(line: string): void
  /** Tests put another one here. */
  readonly start?: typeof up
}

/** `castellan up`: starts the house, says where it is, and keeps it until it is told to stop. Resolves once everything has ended. */
export async function runUp({ home, house, units = false, isWatched, write, start = up }: RunUpOptions): Promise<void> {
  const began = performance.now()
  const stop = Promise.withResolvers<NodeJS.Signals>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.resolve(signal))
  // from the first moment: who is told nothing else dies of it, and systemd takes that for a good end
  const started = Promise.withResolvers<Up>()
  const onHangup = () => void started.promise.then((one) => reload(one, write))
  process.on('SIGHUP', onHangup)
  const running = await start({ home, units, ...(house !== undefined && { house }), onProgress: write })
  started.resolve(running)
  const settled = running.settled.catch((error: unknown) => write(toFault(error).message))
  await Promise.race([settled, stop.promise])
  greet(running, isWatched ? await linkOf(home) : `\`${asTyped('castellan signin', process.env)}\` makes a link`, (performance.now() - began) / 1000, write)
  const signal = await stop.promise
  write(`${signal}: stopping; what is under way is finished first`)
  await running.stop()
  process.off('SIGHUP', onHangup)
  write('stopped')
}

async function linkOf(home: string): Promise<string | undefined> {
  const socket = readUpState(home)?.sockets.server
  const link = socket === undefined ? undefined : await signinLink(socket)
  return link && `${link}  (works once, within ten minutes)`
}

const firstCommands = [
  ['castellan today', 'what needs you this morning'],
  ['castellan job run morning-mail --wait', 'read the sample mailbox, write a brief, propose replies'],
  ['castellan draft list', 'what waits for your signature'],
] as const

function greet(running: Up, signin: string | undefined, seconds: number, write: (line: string) => void): void {
  const { house, problems, fresh } = running.house()
  const crashed = [...running.processes.values()].filter(({ state }) => state.state === 'crashed')
  write('')
  write(`Castellan keeps "${house.settings.name}" (${seconds.toFixed(1)} s)`)
  write(`  house      ${house.folder}, ${house.jobs.length} jobs`)
  write(`  address    http://127.0.0.1:${house.settings.ports.server}`)
  write(`  signing    ${signingSite(house.settings.signing, house.settings.ports.releaser).origin}`)
  if (house.settings.ports.webhooks !== null) write(`  webhooks   http://127.0.0.1:${house.settings.ports.webhooks}/hooks/NAME, ${house.settings.webhooks.length} declared`)
  if (signin !== undefined) write(`  sign in    ${signin}`)
  write(`  isolation  ${running.isolation.mode}: ${running.isolation.detail}`)
  if (!fresh) write('  the house has errors; the last good one goes on:')
  for (const problem of problems) write(`  ${describeProblem(problem)}`)
  for (const { state } of crashed) write(`  ${state.name} was given up: ${state.reason}`)
  write('')
  const commands = firstCommands.map(([command, what]) => [asTyped(command, process.env), what] as const)
  const widest = Math.max(...commands.map(([command]) => command.length))
  for (const [command, what] of commands) write(`  ${command.padEnd(widest)}  ${what}`)
  write('')
}

/** A house that cannot be read, or a database that is away, changes nothing. */
async function reload(running: Up, write: (line: string) => void): Promise<void> {
  try {
    const { fresh, problems } = await running.reload()
    write(fresh ? 'the house was read again' : 'the house has errors; the last good one goes on:')
    for (const problem of problems) write(`  ${describeProblem(problem)}`)
  } catch (error) {
    write(`the house could not be read again: ${toFault(error).message}; what ran before goes on`)
  }
}
