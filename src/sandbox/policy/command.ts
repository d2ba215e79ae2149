/** A program as it lies on the disk. */
export interface Program {
  /** Without symbolic links. */
  readonly path: string
  /** Of its bytes, in hex. */
  readonly sha256: string
  /** What it is called in the tables of the policy: where it lies, where it was named, and as what else the same bytes are known. */
  readonly names: readonly string[]
  /** Does it run with the rights of its owner or group, or with capabilities of its file? */
  readonly privileged: boolean
}

/** One command as it would be started, and those that it would start by its arguments. */
export interface Command {
  readonly program: Program
  /** Without the program, and without the commands in it. */
  readonly arguments: readonly string[]
  /** Absolute: what relative paths among the arguments mean. */
  readonly cwd: string
  readonly wrapped: readonly Command[]
  /** Why nobody can say what it would start, if that is so. */
  readonly hides?: string
}

/** From mild to strict. */
export const outcomes = ['allowed', 'dry_run', 'forbidden'] as const
export type Outcome = (typeof outcomes)[number]

export interface PolicyFinding {
  readonly outcome: Exclude<Outcome, 'allowed'>
  /** Which rule spoke: `privilege`, `remote`, `removes`, … */
  readonly rule: string
  readonly program: string
  /** What is wrong with it, and what to do instead; ends a sentence that begins with the program. */
  readonly why: string
}

export interface Judgement {
  /** The strictest of all that was found. */
  readonly outcome: Outcome
  readonly findings: readonly PolicyFinding[]
}

/** A rule of the house. It can only make things stricter. */
export interface ShellRule {
  /** The name of a program, or its path; `*` stands for any characters. */
  readonly program: string
  /** Patterns of which one has to match an argument; none: any. */
  readonly arguments: readonly string[]
  readonly outcome: Exclude<Outcome, 'allowed'>
  readonly reason: string
}

const scripts = /\.(?:sh|bash|zsh|py|pl|rb|js|mjs|cjs|ts|php|lua|awk|r)$/

/** What a file is called in the tables: in small letters, also without the version or variant behind it (`python3.12`, `nc.openbsd`). */
export function namesOf(file: string): string[] {
  const name = file.toLowerCase()
  const withoutVersion = (text: string) => text.replace(/(?<=[a-z])[-.\d]+$/, '')
  return [...new Set([name, withoutVersion(name), ...(scripts.test(name) ? [] : [withoutVersion(name.split('.', 1)[0]!)])])]
}
