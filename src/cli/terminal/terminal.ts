import { styleText } from 'node:util'
import { asTyped } from '../../kernel/as-typed.ts'

/** The streams and settings a command runs with; the process's own, or a test's. */
export interface Io {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean }
  readonly stdout: Screen
  readonly stderr: Screen
}

export interface Screen {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export type Style = Parameters<typeof styleText>[0]

/** How text for people is laid out on one stream. */
export interface Terminal {
  readonly tty: boolean
  readonly columns: number
  /** Colours only on a terminal that wants them. */
  paint(style: Style, text: string): string
  /** One of our own commands, as it can be typed here. */
  typed(command: string): string
}

export function terminalOf(screen: Screen, env: NodeJS.ProcessEnv): Terminal {
  const tty = screen.isTTY === true
  const coloured = tty && !env.NO_COLOR && env.TERM !== 'dumb'
  return {
    tty,
    columns: tty ? (screen.columns ?? 80) : Number.POSITIVE_INFINITY,
    paint: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
    typed: (command) => asTyped(command, env),
  }
}

const stateStyles: Readonly<Record<string, Style>> = {
  ok: 'green', good: 'green', rendered: 'green', ready: 'green', succeeded: 'green', ran: 'green', released: 'green', active: 'green', alive: 'green', answered: 'green', answers: 'green', enrolled: 'green',
  warn: 'yellow', due: 'yellow', unfinished: 'yellow', unused: 'yellow', missing: 'red', exposed: 'red', waiting: 'yellow', parked: 'yellow', retrying: 'yellow', held: 'yellow', missed: 'yellow', skipped: 'yellow',
  starting: 'yellow', paused: 'yellow', expired: 'yellow', unknown: 'red', backoff: 'yellow', undone: 'yellow',
  fail: 'red', failed: 'red', dead: 'red', crashed: 'red', refused: 'red', denied: 'red', cancelled: 'red', silent: 'red',
  critical: 'red', warning: 'yellow',
  pending: 'dim', unchanged: 'dim', manual: 'dim', stopped: 'dim', replaced: 'dim', 'not asked': 'dim',
}

/** A state in its colour; the word itself stays, for those who see no colour. */
export function paintState(terminal: Terminal, state: string): string {
  const style = stateStyles[state]
  return style === undefined ? state : terminal.paint(style, state)
}
