import { passesLuhn, passesMod97 } from './check-digits.ts'
import type { Finding } from './detect.ts'
import { matchesOf } from './matches.ts'

/** Lengths of the IBANs by country (SWIFT IBAN registry). */
const ibanLengths: Readonly<Record<string, number>> = {
  AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BR: 29, BY: 28, CH: 21, CR: 22, CY: 28, CZ: 24,
  DE: 22, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18, FO: 18, FR: 27, GB: 22, GE: 22, GI: 23, GL: 18, GR: 27, GT: 28,
  HR: 21, HU: 28, IE: 22, IL: 23, IQ: 23, IS: 26, IT: 27, JO: 30, KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20, LU: 20,
  LV: 21, LY: 25, MC: 27, MD: 24, ME: 22, MK: 19, MR: 27, MT: 31, MU: 30, NL: 18, NO: 15, PK: 24, PL: 28, PS: 29, PT: 25,
  QA: 29, RO: 24, RS: 22, SA: 24, SC: 31, SE: 24, SI: 19, SK: 24, SM: 27, ST: 25, SV: 28, TL: 23, TN: 24, TR: 26, UA: 29,
  VA: 22, VG: 24, XK: 20,
}

// What borders a match on the left is looked at behind its first characters, and those are written out: the engine can skip ahead by such a
// pattern, and not by `{2}` or past a lookbehind. Whether it does depends on the text for which it compiled it: as fast, or several times.
const ibanStart = /[A-Za-z][A-Za-z]\d\d(?<![0-9A-Za-z]....)(?=[ -]?[0-9A-Za-z])/g
const ibanCharacters = /[0-9A-Za-z]/
/** Whole, in fours, or as American Express prints it; other groupings are phone and order numbers. */
const card =
  /\d\d\d\d(?<!\d[ -]?....)(?:\d{9,15}|([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|([ -])\d{6}\2\d{5})(?![ -]?\d)/g
/** Issuers with the lengths they use: Visa, Mastercard, American Express, Discover, JCB, Diners. */
const cardNumber =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01]|720)\d{12,13}|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12}|35\d{14}|3(?:0[0-5]|[68]\d)\d{11})$/

/** Bank accounts and payment cards whose check digits are right: P2. */
export function findAccounts(text: string): Finding[] {
  const found: Finding[] = []
  for (const match of matchesOf(ibanStart, text)) {
    const end = ibanEnd(text, match.index)
    if (end !== undefined) found.push({ kind: 'IBAN', level: 2, start: match.index, end })
  }
  for (const match of matchesOf(card, text)) {
    const digits = match[0].replace(/\D/g, '')
    if (cardNumber.test(digits) && passesLuhn(digits)) {
      found.push({ kind: 'payment card', level: 2, start: match.index, end: match.index + match[0].length })
    }
  }
  return found
}

/** Reads as many characters as the country's accounts have, single spaces and hyphens between them allowed. */
function ibanEnd(text: string, start: number): number | undefined {
  const length = ibanLengths[text.slice(start, start + 2).toUpperCase()]
  if (length === undefined) return undefined
  let iban = ''
  let at = start
  while (iban.length < length) {
    const character = text[at]
    if (character === undefined) return undefined
    if (ibanCharacters.test(character)) iban += character
    else if ((character !== ' ' && character !== '-') || !ibanCharacters.test(text[at + 1] ?? '')) return undefined
    at += 1
  }
  const more = text[at] !== undefined && ibanCharacters.test(text[at]!)
  return !more && passesMod97(iban) ? at : undefined
}
