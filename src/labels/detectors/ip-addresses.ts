import { isIPv6 } from 'node:net'
import type { Finding } from './detect.ts'
import { matchesOf } from './matches.ts'

const ipv4 = /(?<![0-9.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\d|\.\d)/g
/** Groups with colons between them, an IPv4 address perhaps at the end (RFC 4291, 2.2). */
const colons = /[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?:(?:\.\d{1,3}){3})?/y
/** What every one of them has. */
const inside = /:[0-9A-Fa-f]{0,4}:/g
const hexDigit = /[0-9A-Fa-f]/
const bordering = /[0-9A-Za-z_:.]/

/** Addresses of machines. */
export function findIpAddresses(text: string): Finding[] {
  const found: Finding[] = []
  const add = (start: number, end: number) => void found.push({ kind: 'IP address', level: 1, start, end })
  if (text.includes('.')) for (const match of matchesOf(ipv4, text)) add(match.index, match.index + match[0].length)
  let looked = 0
  for (const { index } of matchesOf(inside, text)) {
    if (index < looked) continue
    let start = index
    while (start > looked && index - start < 4 && hexDigit.test(text[start - 1]!)) start -= 1
    colons.lastIndex = start
    const whole = colons.exec(text)![0]
    looked = start + whole.length
    // a colon of the sentence
    const address = /(?:[^:]|::):$/.test(whole) ? whole.slice(0, -1) : whole
    const end = start + address.length
    const alone = !bordering.test(text[start - 1] ?? ' ') && !/[0-9A-Za-z_]/.test(text[end] ?? ' ')
    if (alone && looksMeant(address) && isIPv6(address)) add(start, end)
  }
  return found
}

/** `a::b` is a path in many a language, eight pairs of digits the number of a network card. */
function looksMeant(address: string): boolean {
  const groups = address.split(':').filter((group) => group !== '')
  if (!/\d/.test(address) || groups.every((group) => group.length === 2)) return false
  return address.startsWith('::') || groups.length > 2 || groups[0]!.length > 2
}
