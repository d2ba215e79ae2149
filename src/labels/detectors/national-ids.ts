import { passesEan13, passesMod11And10, weightedSum } from './check-digits.ts'
import type { Finding } from './detect.ts'
import { matchesOf } from './matches.ts'

/** A number that a state gives to a person. */
interface NationalId {
  readonly kind: string
  /** Its shapes, gaps among them. The named group `grouped` took part when it stands in the groups in which people write it, and in no others. */
  readonly pattern: RegExp
  /** Of the characters without gaps: do check digits and dates in it fit? */
  readonly fits: (id: string) => boolean
  /** Words beside which it stands. */
  readonly context: RegExp
  /** What has to be there besides, so that it is taken for one: its groups or a word, a word, or nothing. */
  readonly wants: 'groups or word' | 'word' | 'nothing'
  /** Has it a check digit, which makes it sure enough to raise a label? And must a word be there for that? */
  readonly raises: 'never' | 'with word' | 'as found'
}

/** Characters before and behind an id in which a word says what it is. */
const reach = { before: 60, behind: 25 }

const ids: readonly NationalId[] = [
  {
    // § 139b AO; Bundeszentralamt für Steuern: ISO 7064 MOD 11,10, of the first ten digits exactly one stands twice or three times, not three in a row
    kind: 'German tax id',
    pattern: /(?<![\w.,-])(?:[1-9]\d{10}|(?<grouped>[1-9]\d \d{3} \d{3} \d{3}))(?![\w-]|[.,]\d)/g,
    fits: (id) => passesMod11And10(id) && repeatsOneDigit(id.slice(0, 10)),
    context: /steuer|tax id|\bid-?nr|\btin\b|identifikationsnummer|fiscal/i,
    wants: 'groups or word', raises: 'as found',
  },
  {
    // § 147 SGB VI and VKVV § 4: area, birth date (day by 50 higher for a second number), initial, serial, check digit
    kind: 'German insurance number',
    pattern: /(?<![\w-])\d{2} ?\d{6} ?[A-Z] ?\d{3}(?![\w-])/g,
    fits: (id) => isDay(Number(id.slice(2, 4)) % 50, Number(id.slice(4, 6))) && passesGermanInsurance(id),
    context: /versicherung|\bSVNR|\bRVNR|rente|social|insurance|assurance/i,
    wants: 'nothing', raises: 'as found',
  },
  {
    // ICAO Doc 9303, part 3, 4.9: weights 7, 3, 1, letters as 10 to 35; PAuswV: letters that cannot be taken for others
    kind: 'German identity card',
    pattern: /(?<!\w)[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8} ?\d(?!\w)/g,
    fits: (id) => /\d.*\d.*\d.*\d/.test(id) && [...id.slice(0, 9)].reduce((sum, character, at) => sum + Number.parseInt(character, 36) * [7, 3, 1][at % 3]!, 0) % 10 === Number(id[9]),
    context: /ausweis|pass(?:port|nummer)|identity card|id card|carte d.identit/i,
    wants: 'word', raises: 'with word',
  },
  {
    // Dachverband der Sozialversicherungsträger: serial, check digit modulo 11, birth date; months 13 to 15 where a day is used up
    kind: 'Austrian insurance number',
    pattern: /(?<![\w.,-])(?:[1-9]\d{9}|(?<grouped>[1-9]\d{3}[ /-]\d{6}|[1-9]\d{3} \d{2} \d{2} \d{2}))(?![\w-]|[.,]\d)/g,
    fits: (id) => isDay(Number(id.slice(4, 6)), Number(id.slice(6, 8)), 15) && weightedSum(id, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === Number(id[3]),
    context: /\bsv|versicherung|social security|insurance/i,
    wants: 'groups or word', raises: 'as found',
  },
  {
    // AHVV Art. 133: 756 for Switzerland, EAN-13
    kind: 'Swiss insurance number',
    pattern: /(?<![\w.,-])(?:756\d{10}|756[. ]\d{4}[. ]\d{4}[. ]\d{2})(?![\w-]|[.,]\d)/g,
    fits: passesEan13,
    context: /ahv|avs|versicherung/i,
    wants: 'nothing', raises: 'as found',
  },
  {
    // INSEE: sex, year, month, département (2A and 2B in Corsica), commune, serial; the key is 97 less the rest modulo 97
    kind: 'French insurance number',
    pattern: /(?<![\w.,-])[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-4]\d|5[0-9]|[6-9]\d) ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}(?![\w-]|[.,]\d)/g,
    fits: passesFrenchKey,
    context: /s[ée]cu|insee|\bnir\b|assur/i,
    wants: 'nothing', raises: 'as found',
  },
  {
    // HMRC, National Insurance Manual NIM39110: letters and prefixes that are never given
    kind: 'British insurance number',
    pattern: /(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z](?:\d{6}|(?<grouped> \d{2} \d{2} \d{2} ))[A-D](?!\w)/g,
    fits: () => true,
    context: /national insurance|\bni(?:no|n)?\b|\bni (?:no|number)/i,
    wants: 'groups or word', raises: 'never',
  },
  {
    // NHS Data Dictionary, NHS NUMBER: weights 10 to 2, modulo 11
    kind: 'NHS number',
    pattern: /(?<![\w.,+-])(?:\d{10}|(?<grouped>\d{3}([ -])\d{3}\2\d{4}))(?![\w-]|[.,]\d)/g,
    fits: (id) => (11 - (weightedSum(id, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(id[9]) && /[1-9]/.test(id),
    context: /\bnhs\b|patient|health service/i,
    wants: 'groups or word', raises: 'with word',
  },
  {
    // Social Security Administration, POMS RM 10201.035: never 000, 666 or 9xx, never 00, never 0000
    kind: 'US social security number',
    pattern: /(?<![\w.,-])(?!000|666|9)\d{3}(?:(?<grouped>[ -])(?!00)\d{2}\k<grouped>(?!0000)\d{4}|(?!00)\d{2}(?!0000)\d{4})(?![\w-]|[.,]\d)/g,
    fits: () => true,
    context: /\bssn\b|social security|\bsocial\b/i,
    wants: 'groups or word', raises: 'never',
  },
  {
    // Internal Revenue Manual 3.21.263: 9xx with 50-65, 70-88, 90-92 or 94-99 in the middle
    kind: 'US taxpayer number',
    pattern: /(?<![\w.,-])9\d{2}(?:(?<grouped>[ -])(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\k<grouped>\d{4}|(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4})(?![\w-]|[.,]\d)/g,
    fits: () => true,
    context: /\bitin\b|taxpayer/i,
    wants: 'groups or word', raises: 'never',
  },
  {
    // Australian Taxation Office: weights 1, 4, 3, 7, 5, 8, 6, 9, 10, modulo 11. Sums of money stand in the same groups, so a word has to be there
    kind: 'Australian tax number',
    pattern: /(?<![\w.,-])(?:\d{9}|\d{3}([ -])\d{3}\1\d{3})(?![\w-]|[.,]\d)/g,
    fits: (id) => weightedSum(id, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && /[1-9]/.test(id),
    context: /\btfn\b|tax file/i,
    wants: 'word', raises: 'with word',
  },
  {
    // Services Australia: begins with 2 to 6, weights 1, 3, 7, 9 twice, modulo 10 is the ninth digit; an issue and perhaps a person follow
    kind: 'Australian Medicare number',
    pattern: /(?<![\w.,-])(?:[2-6]\d{9,10}|(?<grouped>[2-6]\d{3} \d{5} \d(?:[ /-]?\d)?))(?![\w-]|[.,]\d)/g,
    fits: (id) => weightedSum(id, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(id[8]),
    context: /medicare/i,
    wants: 'groups or word', raises: 'as found',
  },
]

/** Digits and capitals, single gaps between them: every id is part of such a run, and most texts have few. */
const run = /[0-9A-Z](?:[ ./-]?[0-9A-Z]){8,}/g
const fewestDigits = 4

/** An id as it was found. `raises`: it is sure enough to raise a label, which takes a check digit that is right. */
export interface FoundId extends Finding {
  readonly raises: boolean
}

/** The numbers that states give to persons. */
export function findNationalIds(text: string): FoundId[] {
  const found: FoundId[] = []
  for (const { 0: candidate, index } of matchesOf(run, text)) {
    if (digitsIn(candidate) < fewestDigits) continue
    // what borders it is looked at too
    const from = Math.max(0, index - 1)
    const window = text.slice(from, index + candidate.length + 2)
    for (const id of ids) {
      for (const match of matchesOf(id.pattern, window)) {
        const start = from + match.index
        const seen = look(text, id, match, start)
        if (seen) found.push(seen)
      }
    }
  }
  return found
}

function look(text: string, { kind, fits, context, wants, raises }: NationalId, match: RegExpExecArray, start: number): FoundId | undefined {
  if (!fits(match[0].replaceAll(/[ ./-]/g, ''))) return undefined
  const end = start + match[0].length
  if (wants === 'nothing' && raises === 'as found') return { kind, level: 2, start, end, raises: true }
  const hasWord = context.test(text.slice(Math.max(0, start - reach.before), start)) || context.test(text.slice(end, end + reach.behind))
  const enough = hasWord || (wants === 'groups or word' && match.groups?.['grouped'] !== undefined)
  return enough ? { kind, level: 2, start, end, raises: raises === 'as found' || (raises === 'with word' && hasWord) } : undefined
}

function isDay(day: number, month: number, months = 12): boolean {
  return day >= 1 && day <= 31 && month >= 1 && month <= months
}

function repeatsOneDigit(digits: string): boolean {
  const counts = [...'0123456789'].map((digit) => digits.split(digit).length - 1)
  const repeated = counts.filter((count) => count > 1)
  return repeated.length === 1 && repeated[0]! <= 3 && !/(\d)\1\1/.test(digits)
}

/** The initial counts as two digits; of each product its digits are added. */
function passesGermanInsurance(id: string): boolean {
  const initial = String(id.charCodeAt(8) - 64).padStart(2, '0')
  const digits = id.slice(0, 8) + initial + id.slice(9, 11)
  const products = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1].map((weight, at) => weight * Number(digits[at]))
  return products.reduce((sum, product) => sum + (product % 10) + Math.floor(product / 10), 0) % 10 === Number(id[11])
}

/** In Corsica A and B count as 0, and the number as a million or two less. */
function passesFrenchKey(id: string): boolean {
  const number = Number(id.slice(0, 13).replace(/[AB]/, '0')) - (id[6] === 'A' ? 1_000_000 : id[6] === 'B' ? 2_000_000 : 0)
  return 97 - (number % 97) === Number(id.slice(13))
}

function digitsIn(text: string): number {
  let digits = 0
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) < 58 && text.charCodeAt(at) > 47) digits += 1
  return digits
}
