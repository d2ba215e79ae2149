import { Argument, type Command } from 'commander'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** A word that may follow: a command or an option. */
interface Word {
  readonly word: string
  readonly summary: string
}

/** Words by the commands before them, e.g. `draft approve`. */
type Words = ReadonlyMap<string, readonly Word[]>

export function register(program: Command, cli: Cli): void {
  const command = addCommand(program, cli, {
    usage: 'completion',
    summary: 'A completion script; e.g. eval "$(castellan completion bash)"',
    async run({ args }) {
      const shell = args[0] as (typeof shells)[number]
      const words = wordsOf(program)
      const script = shell === 'fish' ? fishScript(words) : shell === 'zsh' ? zshScript(words) : bashScript(words)
      return outcome({ shell, script }, (data) => data.script)
    },
  })
  command.addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(shells))
}

function wordsOf(program: Command): Words {
  const words = new Map<string, Word[]>()
  const visit = (command: Command, path: readonly string[]) => {
    const own = command.commands.map((inner) => ({ word: inner.name(), summary: inner.description() }))
    const options = command.options.map((option) => ({ word: option.long ?? option.short!, summary: option.description }))
    words.set(path.join(' '), [...own, ...options])
    for (const inner of command.commands) visit(inner, [...path, inner.name()])
  }
  visit(program, [])
  return words
}

/** The path of commands so far is whatever words of the line are known commands, in order. */
function bashScript(words: Words): string {
  return `_castellan() {
  local line="" word cur="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${line:+$line }$word" in ${[...words.keys()].filter(Boolean).map(quote).join('|')}) line="\${line:+$line }$word" ;; esac
  done
  case "$line" in
${[...words].map(([path, after]) => `    ${quote(path)}) COMPREPLY=($(compgen -W ${quote(after.map(({ word }) => word).join(' '))} -- "$cur")) ;;`).join('\n')}
  esac
}
complete -F _castellan castellan`
}

function zshScript(words: Words): string {
  return `#compdef castellan
_castellan() {
  local line="" word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${line:+$line }$word" in ${[...words.keys()].filter(Boolean).map(quote).join('|')}) line="\${line:+$line }$word" ;; esac
  done
  case "$line" in
${[...words].map(([path, after]) => `    ${quote(path)}) candidates=(${after.map(({ word, summary }) => quote(`${word}:${summary.replaceAll(':', '\\:')}`)).join(' ')}) ;;`).join('\n')}
  esac
  _describe castellan candidates
}
compdef _castellan castellan`
}

function fishScript(words: Words): string {
  const paths = [...words.keys()].filter(Boolean).map(quote).join(' ')
  const lines = [...words].flatMap(([path, after]) => after.map(({ word, summary }) => {
    const what = word.startsWith('--') ? `-l ${word.slice(2)}` : word.startsWith('-') ? `-s ${word.slice(1)}` : `-a ${word}`
    return `complete -c castellan -f -n ${quote(`test "$(__castellan_line)" = "${path}"`)} ${what} -d ${quote(summary)}`
  }))
  return `function __castellan_line
  set -l line
  for word in (commandline -opc)[2..]
    set -l longer (string trim -- "$line $word")
    contains -- $longer ${paths}; and set line $longer
  end
  echo -n $line
end
${lines.join('\n')}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

