import { findBirthDates } from './birth-dates.ts'
import type { Finding } from './detect.ts'
import { findIpAddresses } from './ip-addresses.ts'
import { matchesOf } from './matches.ts'

/** Behind an @; what stands before it is read backwards from there, since most words of a text are no mailbox. */
const host = /@(?:[0-9A-Za-z\u00C0-\u024F-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![0-9A-Za-z])/g
const mailbox = /[0-9A-Za-z._%+\u00C0-\u024F-]/
const longestMailbox = 64
/** With its country's code, or in the groups in which people write numbers of their own country. */
const phone = /(?<![0-9A-Za-z+])(?:\+|00)[1-9](?:[ ./()-]{0,3}\d){6,14}(?!\d)|(?<![0-9A-Za-z+.])\(?0\d{1,4}\)?[ ./-]{1,3}\d(?:[ ./-]?\d){4,10}(?!\d)/g
/** Without any groups, behind a word that says what it is; digits written out as in accounts.ts. */
const ungrouped = /0\d\d\d\d\d\d\d\d\d{0,4}(?<=[.: ]0\d{8,12})(?!\d)/g
const phoneWord = /(?<![A-Za-zÀ-ÿ])(?:tel(?:efon)?|tél(?:éphone)?|fon|phone|mobil(?:e|funk)?|handy|portable|fax|call(?: me)?(?: on)?|unter|au)[.: ]{1,3}$/i
/** Characters: a letter that may not stand there, the longest of the words, and what is between it and the number. */
const longestPhoneWord = 1 + 10 + 3
/** North American Numbering Plan: area and exchange begin with 2 to 9. */
const americanPhone = /(?<![0-9A-Za-z+(.-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?[2-9]\d{2}[ .-]\d{4}|[2-9]\d{2}([.-])[2-9]\d{2}\1\d{4})(?![0-9A-Za-z-]|\.\d)/g
/** A date with digits is no number to call. */
const day = /^0?(?:[1-9]|[12]\d|3[01])([./-])0?(?:[1-9]|[12]\d|3[01])\1(?:19|20)?\d{2}$/
const mac = /[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}/g
const beginsMac = /[:-][0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-]/
const bordersMac = /[0-9A-Fa-f:-]/

/** How people and machines are reached and when they were born: too common to say anything of a text's label, and taken out before a text is handed on. */
export function findContacts(text: string): Finding[] {
  const found: Finding[] = [...findMailAddresses(text), ...findIpAddresses(text), ...findBirthDates(text)]
  const add = (kind: string, pattern: RegExp) => {
    for (const match of matchesOf(pattern, text)) if (!day.test(match[0])) found.push({ kind, level: 1, start: match.index, end: match.index + match[0].length })
  }
  add('phone number', phone)
  add('phone number', americanPhone)
  for (const { 0: number, index } of matchesOf(ungrouped, text)) {
    if (phoneWord.test(text.slice(Math.max(0, index - longestPhoneWord), index))) found.push({ kind: 'phone number', level: 1, start: index, end: index + number.length })
  }
  if (beginsMac.test(text)) {
    for (const match of matchesOf(mac, text)) {
      const end = match.index + match[0].length
      if (!bordersMac.test(text[match.index - 1] ?? ' ') && !bordersMac.test(text[end] ?? ' ')) found.push({ kind: 'MAC address', level: 1, start: match.index, end })
    }
  }
  return found
}

function findMailAddresses(text: string): Finding[] {
  if (!text.includes('@')) return []
  const found: Finding[] = []
  for (const match of matchesOf(host, text)) {
    let start = match.index
    while (start > 0 && match.index - start < longestMailbox && mailbox.test(text[start - 1]!)) start -= 1
    if (start < match.index) found.push({ kind: 'mail address', level: 1, start, end: match.index + match[0].length })
  }
  return found
}
