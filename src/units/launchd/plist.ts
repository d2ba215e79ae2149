import { Fault } from '../../kernel/fault.ts'

export type PlistValue = string | number | boolean | readonly string[] | Readonly<Record<string, string | number | boolean>>

/** The line by which an installation knows its own. */
export const plistHeading = '<!-- Written by `castellan service install`. -->'

/** A property list as XML, as launchd reads it. @throws Fault `unit.path` for what XML cannot hold */
export function plist(content: Readonly<Record<string, PlistValue>>): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
${plistHeading}
<plist version="1.0">
${dictionary(content, '')}
</plist>
`
}

function dictionary(content: Readonly<Record<string, PlistValue>>, indent: string): string {
  const entries = Object.entries(content).map(([key, value]) => `${indent}  <key>${escape(key)}</key>\n${indent}  ${element(value, `${indent}  `)}`)
  return ['<dict>', ...entries, `${indent}</dict>`].join('\n')
}

function element(value: PlistValue, indent: string): string {
  if (typeof value === 'string') return `<string>${escape(value)}</string>`
  if (typeof value === 'number') return `<integer>${value}</integer>`
  if (typeof value === 'boolean') return value ? '<true/>' : '<false/>'
  if (Array.isArray(value)) return ['<array>', ...value.map((one: string) => `${indent}  <string>${escape(one)}</string>`), `${indent}</array>`].join('\n')
  return dictionary(value as Readonly<Record<string, PlistValue>>, indent)
}

function escape(text: string): string {
  if (/[\0-\x1f\x7f]/.test(text)) throw new Fault('invalid', 'unit.path', `${JSON.stringify(text)} holds a control character, which a property list cannot hold; rename it`)
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** What was escaped, as it was. */
export function unescape(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
