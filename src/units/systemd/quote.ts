import { Fault } from '../../kernel/fault.ts'

/** One word of a unit file: `%` begins a specifier, quotes keep spaces together. @throws Fault `unit.path` for what no line can hold */
export function word(text: string): string {
  if (/[\0-\x1f\x7f]/.test(text)) throw new Fault('invalid', 'unit.path', `${JSON.stringify(text)} holds a control character, and a unit is made of lines; rename it`)
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')
  return /^[\w@%+=:,./~-]+$/.test(text) ? escaped : `"${escaped}"`
}

/** A command line; there `$` begins a variable too. */
export function commandLine(words: readonly string[]): string {
  return words.map((one) => word(one).replaceAll('$', '$$$$')).join(' ')
}

/** Where nothing but `%` counts: rest of a line in LoadCredential=, fields of sysusers.d. */
export function plain(text: string): string {
  if (/[\0-\x20\x7f"'\\:]/.test(text)) throw new Fault('invalid', 'unit.path', `${JSON.stringify(text)} holds a space, a quote, a colon or a control character, which systemd takes apart here; choose another place`)
  return text.replaceAll('%', '%%')
}
