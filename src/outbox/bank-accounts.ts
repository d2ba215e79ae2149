import { findings } from '../labels/index.ts'

const lookedAt = 200_000

/** The IBANs of a text without the gaps between their groups, each once; only those whose check digits are right. */
export function ibansIn(text: string): string[] {
  const looked = text.slice(0, lookedAt)
  const ibans = findings(looked).filter(({ kind }) => kind === 'IBAN').map(({ start, end }) => looked.slice(start, end).replace(/[ -]/g, '').toUpperCase())
  return [...new Set(ibans)]
}

// German and English, as such letters put it; either word may come first
const change = '(?:new|changed?|changes|updated?|different|neue[nrsm]?|neu|geändert\\p{L}{0,4}|änder\\p{L}{0,8}|gewechselt|aktualisiert\\p{L}{0,4})'
const anyAccount = '(?:iban|bank\\p{L}{0,20}|accounts?|konto\\p{L}{0,20})'
const account = '(?:iban|bank(?:ing)? (?:details|accounts?|data)|account (?:details|numbers?)|payment details|bankverbindung\\p{L}{0,4}|kontoverbindung\\p{L}{0,4}|bankdaten|kontodaten|kontonummer\\p{L}{0,2}|konto)'
const bankChange = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${change}[^.\\n]{0,60}?(?<![\\p{L}\\p{N}])${anyAccount}|${account}[^.\\n]{0,60}?(?<![\\p{L}\\p{N}])${change})(?![\\p{L}\\p{N}])`, 'iu',
)

/** Does it speak of bank details that changed? A false alarm costs the operator a look. */
export function speaksOfBankChange(text: string): boolean {
  return bankChange.test(text)
}
