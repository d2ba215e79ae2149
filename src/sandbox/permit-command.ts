import { realpath } from 'node:fs/promises'
import { Fault } from '../kernel/fault.ts'
import { findProgram } from './find-program.ts'
import type { Judgement, Program, ShellRule } from './policy/command.ts'
import { judgeCommand } from './policy/judge-command.ts'
import { harmlessPrograms } from './policy/programs.ts'
import { programsOf, resolveCommand } from './resolve-command.ts'

export interface Permission {
  /** Absolute paths of castellan.yaml. */
  readonly allow: readonly string[]
  readonly rules: readonly ShellRule[]
  /** Where `allow` stands, for messages. */
  readonly allowKey: string
  /** Absolute: where the command is run. */
  readonly cwd: string
  /** Folders that the command is given. */
  readonly open: readonly string[]
}

export interface Permitted {
  /** Every program that takes part, the one that is started first; each by its true path and with its digest. */
  readonly programs: readonly [Program, ...Program[]]
  readonly judgement: Judgement & { readonly outcome: 'allowed' | 'dry_run' }
  /** Is every program one that is known, and nothing was found? Any other can do anything in its folder. */
  readonly harmless: boolean
}

/** A command as it may be run: every program in it allowed by name, and none of it forbidden. @throws Fault `shell.*` */
export async function permitCommand(argv: readonly string[], { allow, rules, allowKey, cwd, open }: Permission): Promise<Permitted> {
  const command = await resolveCommand(argv, cwd, findProgram)
  const programs = programsOf(command) as [Program, ...Program[]]
  const allowed = new Set(await Promise.all(allow.map((one) => realpath(one).catch(() => undefined))))
  for (const { path } of programs) {
    if (!allowed.has(path)) throw new Fault('refused', 'shell.not_allowed', `${path} is not among the programs of ${allowKey} in castellan.yaml: ${allow.join(', ') || 'none'}`)
  }
  const { outcome, findings } = judgeCommand(command, { rules, open })
  if (outcome === 'forbidden') {
    const { program, why, rule } = findings.find((one) => one.outcome === 'forbidden')!
    throw new Fault('refused', 'shell.forbidden', `${program} ${why}`, { rule })
  }
  return { programs, judgement: { outcome, findings }, harmless: outcome === 'allowed' && programs.every(({ names }) => names.some((name) => harmlessPrograms.has(name))) }
}
