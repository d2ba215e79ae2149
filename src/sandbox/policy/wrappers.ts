/** What a command would start by its arguments, and which of them are its own. */
export interface Unwrapped {
  readonly own: readonly string[]
  /** `applet`: another name of the program itself. */
  readonly wrapped: readonly { readonly argv: readonly string[]; readonly applet: boolean }[]
  /** Why nobody can say it. */
  readonly hides?: string
}

interface Wrapper {
  /** Letters and long names of options without a value. */
  readonly flags: readonly string[]
  /** Those with one. */
  readonly valued: readonly string[]
  /** Words before the command. */
  readonly operands?: number
  readonly assignments?: boolean
  /** A number as an option, as in `nice -5`. */
  readonly numbers?: boolean
}

/** Programs that start the command that their last arguments are. Any option that does not stand here could hide one. */
const wrappers: Readonly<Record<string, Wrapper>> = {
  env: { flags: ['i', '0', 'v', 'ignore-environment', 'null', 'debug'], valued: ['u', 'unset'], assignments: true },
  nice: { flags: [], valued: ['n', 'adjustment'], numbers: true },
  ionice: { flags: ['t', 'ignore'], valued: ['c', 'n', 'class', 'classdata'] },
  nohup: { flags: [], valued: [] },
  setsid: { flags: ['c', 'f', 'w', 'ctty', 'fork', 'wait'], valued: [] },
  stdbuf: { flags: [], valued: ['i', 'o', 'e', 'input', 'output', 'error'] },
  taskset: { flags: ['a', 'c', 'all-tasks', 'cpu-list'], valued: [], operands: 1 },
  time: { flags: ['p', 'v', 'a', 'q', 'portability', 'verbose', 'append', 'quiet'], valued: ['o', 'f', 'output', 'format'] },
  timeout: { flags: ['v', 'f', 'p', 'verbose', 'foreground', 'preserve-status'], valued: ['k', 's', 'kill-after', 'signal'], operands: 1 },
}

/** Programs that are another by the name that stands first. */
const boxes: ReadonlySet<string> = new Set(['busybox', 'toybox', 'coreutils'])
const finders = /^-(?:exec|execdir|ok|okdir)$/
/** Variables by which a program loads other code, or runs another program, itself or by a configuration that it finds there. */
const steering = /^(?:LD_|DYLD_|GIT_|BASH_|PYTHON|PERL|RUBY|NODE_|JAVA_|LUA_|GCONV_PATH|LOCPATH|PATH$|ENV$|IFS$|SHELL|PAGER|MANPAGER|EDITOR|VISUAL|BROWSER|LESSOPEN|LESSCLOSE|TAR_OPTIONS|RSYNC_|SSH_|PSQL|PGOPTIONS|MALLOC_|NLSPATH|TMPDIR|HOSTALIASES|GLIBC_TUNABLES|HOME$|XDG_|RIPGREP_|OPENSSL_|MAKE|GNUMAKE|MFLAGS$|ZIPOPT|ZIP$|GCC_|COMPILER_PATH)/

/** Takes a command apart. Needs the names that its program goes by, and nothing of the disk. */
export function unwrap(names: readonly string[], args: readonly string[]): Unwrapped {
  if (names.some((name) => boxes.has(name))) {
    const [first] = args
    if (first === undefined || first.startsWith('-')) return { own: args, wrapped: [], ...(first !== undefined && { hides: 'is many programs in one; name the one that you mean right behind it' }) }
    return { own: [], wrapped: [{ argv: args, applet: true }] }
  }
  if (names.includes('find')) return unwrapFind(args)
  const name = names.find((one) => Object.hasOwn(wrappers, one))
  return name === undefined ? { own: args, wrapped: [] } : unwrapOptions(wrappers[name]!, args)
}

function unwrapOptions({ flags, valued, operands = 0, assignments = false, numbers = false }: Wrapper, args: readonly string[]): Unwrapped {
  const unknown = (option: string): Unwrapped => ({ own: args, wrapped: [], hides: `has the option ${option}, which could hide the command; leave it out` })
  let at = 0
  for (; at < args.length && args[at]!.startsWith('-') && args[at] !== '-'; at += 1) {
    const option = args[at]!
    if (option === '--') {
      at += 1
      break
    }
    if (numbers && /^--?\d+$/.test(option)) continue
    if (option.startsWith('--')) {
      const [name, value] = option.slice(2).split('=', 2) as [string, string?]
      if (valued.includes(name)) at += value === undefined ? 1 : 0
      else if (!flags.includes(name) || value !== undefined) return unknown(option)
      continue
    }
    const letters = [...option.slice(1)]
    const other = letters.findIndex((letter) => !flags.includes(letter))
    if (other === -1) continue
    if (!valued.includes(letters[other]!)) return unknown(option)
    if (other === letters.length - 1) at += 1
  }
  at += operands
  if (assignments) {
    if (args[at] === '-') at += 1
    for (; at < args.length && args[at]!.includes('='); at += 1) {
      const [name] = args[at]!.split('=', 1) as [string]
      if (steering.test(name)) return { own: args, wrapped: [], hides: `sets ${name}, by which a program loads or starts another; leave it out` }
    }
  }
  const argv = args.slice(at)
  return { own: args.slice(0, at), wrapped: argv.length === 0 ? [] : [{ argv, applet: false }] }
}

/** `find` starts what stands between `-exec` and `;` or `+`. */
function unwrapFind(args: readonly string[]): Unwrapped {
  const own: string[] = []
  const wrapped: { argv: string[]; applet: boolean }[] = []
  for (let at = 0; at < args.length; at += 1) {
    own.push(args[at]!)
    if (!finders.test(args[at]!)) continue
    const argv: string[] = []
    for (at += 1; at < args.length && args[at] !== ';' && !(args[at] === '+' && args[at - 1] === '{}'); at += 1) argv.push(args[at]!)
    // `-name -exec` is a pattern and no beginning: what follows it is no path of a program then
    if (!argv[0]?.startsWith('/') || argv[0].includes('{}')) return { own: args, wrapped: [], hides: 'does not say by its whole path what it starts; name the program right behind -exec' }
    wrapped.push({ argv, applet: false })
  }
  return { own, wrapped }
}
