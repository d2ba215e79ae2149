/** One line of iCalendar (RFC 5545), unfolded: `NAME;PARAM=value:value`. */
export interface IcalLine {
  readonly name: string
  /** By their names in capital letters, without quotes. */
  readonly parameters: Readonly<Record<string, string>>
  readonly value: string
  /** As it is written. */
  readonly whole: string
}

/** The lines of a text in iCalendar. Nothing is understood of it beyond that; a line that is none has no name. */
export function icalLines(text: string): IcalLine[] {
  return text.replace(/\r?\n[ \t]/g, '').split(/\r?\n/).filter((line) => line !== '').map(readLine)
}

const form = /^([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)$/su

function readLine(whole: string): IcalLine {
  const [, name, written = '', value = ''] = form.exec(whole) ?? []
  if (name === undefined) return { name: '', parameters: {}, value: '', whole }
  const parameters = Object.fromEntries([...written.matchAll(/;([A-Za-z0-9-]+)=((?:"[^"]*"|[^";])*)/gu)].map(([, key, said]) => [key!.toUpperCase(), said!.replaceAll('"', '')]))
  return { name: name.toUpperCase(), parameters, value, whole }
}

/** The lines between `BEGIN` and `END` of each component of that name, with those of what is inside it. */
export function componentsOf(lines: readonly IcalLine[], component: string): IcalLine[][] {
  const found: IcalLine[][] = []
  let inside: IcalLine[] | undefined
  for (const line of lines) {
    if (line.name === 'BEGIN' && line.value.toUpperCase() === component) inside = []
    else if (line.name === 'END' && line.value.toUpperCase() === component && inside) {
      found.push(inside)
      inside = undefined
    } else inside?.push(line)
  }
  return found
}

/** A value of type TEXT as it is meant. */
export function textValue(value: string): string {
  return value.replace(/\\([\\;,nN])/g, (_, character: string) => (character === 'n' || character === 'N' ? '\n' : character))
}

/** So that a stranger's words show as what they are: what cannot be seen, or turns the direction of writing, by its number. */
export function visible(text: string): string {
  return text.replace(/[^\P{C}\n\t]|[\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** The property that says which draft put an event there. */
export const draftProperty = 'X-CASTELLAN-DRAFT'
