import type { Finding } from './detect.ts'

const mail = /(?<![0-9A-Za-z._%+-])[0-9A-Za-z._%+-]{1,64}@(?:[0-9A-Za-z-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![0-9A-Za-z])/g
/** With its country's code, or in the groups in which people write numbers of their own country. */
const phone = /(?<![0-9A-Za-z+])(?:\+|00)[1-9](?:[ ./()-]{0,3}\d){6,14}(?!\d)|(?<![0-9A-Za-z+.])\(?0\d{1,4}\)?[ ./-]{1,3}\d(?:[ ./-]?\d){4,10}(?!\d)/g
const ipv4 = /(?<![0-9.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![0-9.])/g
const mac = /(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])/g

const shapes = [
  { kind: 'mail address', pattern: mail, hint: '@' },
  { kind: 'phone number', pattern: phone, hint: '0' },
  { kind: 'phone number', pattern: phone, hint: '+' },
  { kind: 'IP address', pattern: ipv4, hint: '.' },
  { kind: 'MAC address', pattern: mac, hint: '' },
] as const

/** How people and machines are reached: too common to say anything of a text's label, and taken out before a text is handed on. */
export function findContacts(text: string): Finding[] {
  const patterns = new Map(shapes.filter(({ hint }) => text.includes(hint)).map(({ kind, pattern }) => [pattern, kind]))
  return [...patterns].flatMap(([pattern, kind]) => [...text.matchAll(pattern)].map((match): Finding => ({ kind, level: 1, start: match.index, end: match.index + match[0].length })))
}
