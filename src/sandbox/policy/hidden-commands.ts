/** Options by which a program starts another, which no list of arguments shows. */
interface Hiding {
  /** Whole names; a beginning of one counts too, as getopt takes it. */
  readonly long?: readonly string[]
  /** Letters, also within `-xIf`. */
  readonly letters?: string
  /** Whole arguments. */
  readonly words?: RegExp
  /** One of these has to stand first, because the language of the program can start another. Further behind it could be the value of an option, a file, or too late. */
  readonly needs?: { readonly options: readonly string[]; readonly why: string }
}

const archive: Hiding = {
  long: ['--checkpoint-action', '--to-command', '--use-compress-program', '--info-script', '--new-volume-script', '--rsh-command', '--rmt-command', '--pass-through'], letters: 'IF',
  // without a slash before it, tar takes a colon for another machine
  words: /^(?:[^/:=-][^/:=]*:|-[^/:]*:|[A-Za-z]*[IF][A-Za-z]*$)/,
}

const byName: Readonly<Record<string, Hiding>> = {
  tar: archive, gtar: archive, bsdtar: archive, bsdcpio: archive,
  cpio: { long: ['--rsh-command', '--to-stdout-command'], words: /^[^/=-][^/=]*:/ },
  sed: { needs: { options: ['--sandbox'], why: 'can start programs and write files (its commands e, r and w): add --sandbox as the first argument' } },
  gsed: { needs: { options: ['--sandbox'], why: 'can start programs and write files (its commands e, r and w): add --sandbox as the first argument' } },
  // -init is read before -safe counts
  sqlite: { needs: { options: ['-safe', '--safe'], why: 'can start programs and open other files (.shell, load_extension): add -safe as the first argument' }, words: /^--?init$/ },
  sort: { long: ['--compress-program'] },
  split: { long: ['--filter'] },
  zip: { long: ['--unzip-command'], words: /^-[^-]*TT/ },
  rsync: { long: ['--rsh', '--rsync-path', '--daemon', '--server'], letters: 'e', words: /^(?:rsync:\/\/|[^/-][^/]*:)/ },
  fd: { long: ['--exec', '--exec-batch'], letters: 'xX' },
  fdfind: { long: ['--exec', '--exec-batch'], letters: 'xX' },
  rg: { long: ['--pre', '--hostname-bin', '--search-zip'], letters: 'z' },
  pandoc: { long: ['--filter', '--lua-filter', '--pdf-engine', '--defaults', '--data-dir'], letters: 'FLd', words: /\.lua\b/ },
  gcc: { words: /^(?:-wrapper|-fplugin|-B|--?specs|@)/ },
  make: { long: ['--eval'], words: /^(?:SHELL|MAKEFLAGS|\.SHELLFLAGS)[:+?]?=/ },
  openssl: { words: /^(?:s_client|s_server|s_time|engine|-engine|-provider(?:-path)?)$/ },
  psql: { words: /\\(?!\d)|\bprogram\b/i, long: ['--file'], letters: 'f' },
  mysql: { words: /\\!|\bsystem\b|^--(?:pager|tee)/i },
  mariadb: { words: /\\!|\bsystem\b|^--(?:pager|tee)/i },
  date: { letters: 's', long: ['--set'] },
}

/** Why nobody can say what this program starts with these arguments, or nothing. */
export function hiddenCommand(names: readonly string[], args: readonly string[]): string | undefined {
  for (const name of names) {
    const hiding = Object.hasOwn(byName, name) ? byName[name]! : undefined
    if (!hiding) continue
    const { long = [], letters = '', words, needs } = hiding
    if (needs && !needs.options.includes(args[0]!)) return needs.why
    for (const argument of args) {
      const [option] = argument.split('=', 1) as [string]
      const isLong = /^--[a-z]/.test(option) && long.some((one) => one.startsWith(option))
      const isLetter = letters !== '' && /^-[^-]/.test(argument) && [...letters].some((letter) => argument.includes(letter))
      if (isLong || isLetter || words?.test(argument)) return `could start another program, or reach another machine, by ${JSON.stringify(argument.slice(0, 60))}; leave it out, or allow a script of its own`
    }
  }
  return undefined
}
