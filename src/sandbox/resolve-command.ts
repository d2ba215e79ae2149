import { Fault } from '../kernel/fault.ts'
import { namesOf, type Command, type Program } from './policy/command.ts'
import { unwrap } from './policy/wrappers.ts'

/** Looks up what lies at the path of a program. */
export type Look = (named: string | undefined) => Promise<Program>

/** More around each other than this is no command that somebody means. */
const deepest = 16

/** A command with every program in it looked up, those that it would start by its arguments too. @throws Fault of `look`, `shell.deep` */
export async function resolveCommand(argv: readonly string[], cwd: string, look: Look): Promise<Command> {
  return resolve(await look(argv[0]), argv.slice(1), cwd, look, 1)
}

async function resolve(program: Program, args: readonly string[], cwd: string, look: Look, depth: number): Promise<Command> {
  if (depth > deepest) throw new Fault('refused', 'shell.deep', `a command starts a command starts a command, more than ${deepest} deep; write the one that you mean`)
  const { own, wrapped, hides } = unwrap(program.names, args)
  const commands = await Promise.all(wrapped.map(async ({ argv: [name, ...rest], applet }) => {
    // an applet is the same file under another name; its path is all that the box itself was
    const inner = applet ? { ...program, names: namesOf(name!) } : await look(name)
    // the outer program starts what is named, which a symbolic link could make another meanwhile
    if (!applet && inner.path !== name) throw new Fault('invalid', 'shell.argv', `within another command a program is named by its true path: write ${inner.path} instead of ${name}`)
    return resolve(inner, rest, cwd, look, depth + 1)
  }))
  return { program, arguments: own, cwd, wrapped: commands, ...(hides !== undefined && { hides }) }
}

/** Every program that takes part, the outermost first. */
export function programsOf({ program, wrapped }: Command): Program[] {
  return [program, ...wrapped.flatMap(programsOf)]
}
