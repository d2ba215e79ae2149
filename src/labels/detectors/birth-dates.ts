import type { Finding } from './detect.ts'
import { matchesOf } from './matches.ts'

const before = '(?<![A-Za-zÀ-ÿ])'
const behind = '(?![A-Za-zÀ-ÿ])'
/** That somebody was born, in English, German, French, Italian, Spanish and Dutch. */
const born = new RegExp(
  `${before}(?:born|birth ?da(?:te|y)|date of birth|d\\.?o\\.?b|geboren(?:e[nrms]?)?|geb\\.|geburtsdatum|geburtstag|née?|née?\\(e\\)|naissance|nat[oa]|nascita|nacid[oa]|nacimiento|geboortedatum)${behind}`, 'gi',
)

const months =
  '(?:jan(?:uary|uar|vier|\\.)?|jänner|feb(?:ruary|ruar|\\.)?|février|févr\\.|mar(?:ch|s|\\.)?|märz|apr(?:il|\\.)?|avril|may|mai|june?|juni|juin|jul(?:y|i|\\.)?|juillet|aug(?:ust|\\.)?|août|sept?(?:ember|embre|\\.)?|o[ck]t(?:ober|obre|\\.)?|nov(?:ember|embre|\\.)?|de[cz](?:ember|\\.)?|décembre)'
const year = '(?:19|20)\\d{2}'
/** ISO, with digits in either order, with the month as a word behind the day or before it. */
const date = new RegExp(
  `(?<![\\d.,/-])(?:${year}-\\d{2}-\\d{2}|(\\d{1,2})([./-]) ?(\\d{1,2})\\2 ?(?:${year}|\\d{2})|\\d{1,2}(?:st|nd|rd|th|er|\\.)? (?:of )?${months},? ${year}|${months} \\d{1,2}(?:st|nd|rd|th)?,? ${year})(?![\\d-]|[.,/]\\d)`, 'gi',
)
/** Characters between the word and its date. */
const reach = 40
const longestDate = 30
/** Where something was taken out: the date that the word spoke of. */
const gap = '[['

/** Dates that stand by a word about being born: of each word the nearest one. */
export function findBirthDates(text: string): Finding[] {
  const found = new Map<number, Finding>()
  for (const word of matchesOf(born, text)) {
    const wordEnd = word.index + word[0].length
    const from = Math.max(0, word.index - reach - longestDate)
    const near = [...matchesOf(date, text.slice(from, wordEnd + reach + longestDate))]
      .filter((match) => isDate(match))
      .map((match) => ({ start: from + match.index, end: from + match.index + match[0].length }))
      .map((span) => ({ ...span, away: span.start >= wordEnd ? span.start - wordEnd : word.index - span.end }))
      .filter(({ away, start, end }) => away >= 0 && away <= reach && !text.slice(Math.min(end, wordEnd), Math.max(start, word.index)).includes(gap))
      .sort((a, b) => a.away - b.away)[0]
    if (near) found.set(near.start, { kind: 'date of birth', level: 1, start: near.start, end: near.end })
  }
  return [...found.values()]
}

/** Of two numbers one is a month, whichever comes first. */
function isDate([, first, , second]: RegExpExecArray): boolean {
  if (first === undefined || second === undefined) return true
  const [low, high] = [Number(first), Number(second)].sort((a, b) => a - b) as [number, number]
  return low >= 1 && low <= 12 && high <= 31
}
