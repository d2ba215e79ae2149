import { matches } from '../../kernel/pattern.ts'
import { namesOf, outcomes, type Command, type Judgement, type PolicyFinding, type ShellRule } from './command.ts'
import { effectsOf } from './effects.ts'
import { hiddenCommand } from './hidden-commands.ts'
import { forbiddenFamilies, forbiddenPrograms, interpreters } from './programs.ts'
import { systemPathIn } from './system-paths.ts'

export interface PolicyContext {
  readonly rules: readonly ShellRule[]
  /** Folders that the house declares for this command: what lies there is nobody else's. */
  readonly open: readonly string[]
}

/**
 * What may be done with a command: run it, run it only after a look at what it would take away, or never. Every command within it is
 * looked at as well, and the strictest counts. What is not known to be harmless in how it starts others is not run.
 */
export function judgeCommand(command: Command, context: PolicyContext): Judgement {
  const findings = [...findingsOf(command, context), ...command.wrapped.flatMap((inner) => judgeCommand(inner, context).findings)]
  const strictest = Math.max(0, ...findings.map(({ outcome }) => outcomes.indexOf(outcome)))
  return { outcome: outcomes[strictest]!, findings }
}

function findingsOf({ program, arguments: args, cwd, hides }: Command, { rules, open }: PolicyContext): PolicyFinding[] {
  const names = [...program.names, ...program.names.flatMap(familyOf)]
  const found: PolicyFinding[] = []
  const forbid = (rule: string, why: string) => found.push({ outcome: 'forbidden', rule, program: program.path, why })
  for (const { rule, why, names: listed } of forbiddenPrograms) if (names.some((name) => listed.has(name))) forbid(rule, why)
  if (program.privileged) forbid('privilege', 'runs with rights that are not its caller’s (setuid, setgid)')
  if (isInterpreter(names)) forbid('interpreter', 'starts any other program; allow a script of its own instead, which is then bound by its digest')
  if (hides !== undefined) forbid('hidden', hides)
  const hidden = hiddenCommand(names, args)
  if (hidden !== undefined) forbid('hidden', hidden)
  for (const argument of args) {
    const path = systemPathIn(argument, cwd, open)
    if (path !== undefined) forbid('system', `is given ${path}, which is the system's`)
  }
  for (const effect of effectsOf(names, args)) found.push({ ...effect, program: program.path })
  for (const { program: pattern, arguments: patterns, outcome, reason } of rules) {
    const isMeant = pattern.includes('/') ? matches(pattern, program.path) : names.some((name) => matches(pattern, name))
    if (isMeant && (patterns.length === 0 || patterns.some((one) => args.some((argument) => matches(one, argument))))) found.push({ outcome, rule: 'house', program: program.path, why: `is ${outcome === 'forbidden' ? 'forbidden' : 'tried out first'} by a rule of the house: ${reason}` })
  }
  return found
}

/** Why a program of that name is never run, whatever its arguments; nothing when that depends on them. */
export function neverAllowed(file: string): string | undefined {
  const names = namesOf(file)
  return isInterpreter(names) ? 'can start any other program' : neverStarted(file, { mode: 0, hasWayOut: false })
}

/**
 * Why a file of that name and mode is not even started in the sandbox by Castellan itself; it does start interpreters with texts of its own. What leads
 * to other machines is started where there is a way out, which decides to which.
 */
export function neverStarted(file: string, { mode, hasWayOut }: { readonly mode: number; readonly hasWayOut: boolean }): string | undefined {
  const names = [...namesOf(file), ...namesOf(file).flatMap(familyOf)]
  if ((mode & 0o6000) !== 0) return 'runs with rights that are not its caller’s (setuid, setgid)'
  return forbiddenPrograms.find(({ rule, names: listed }) => !(hasWayOut && rule === 'remote') && names.some((name) => listed.has(name)))?.why
}

function isInterpreter(names: readonly string[]): boolean {
  return names.some((name) => interpreters.has(name) || /^ld-(?:linux|musl)/.test(name))
}

function familyOf(name: string): string[] {
  return forbiddenFamilies.flatMap(({ begins, as }) => (name.startsWith(begins) ? [as] : []))
}
