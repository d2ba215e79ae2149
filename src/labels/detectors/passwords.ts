import type { Finding } from './detect.ts'
import { entropy } from './entropy.ts'
import { matchesOf } from './matches.ts'

const inUrl = /:\/\/[^\s/:@]{0,100}:([^\s/@]{1,200})@/g
const assignment =
  /(?<![a-z])(?:password|passwd|passphrase|passwort|kennwort|secret|api[_-]?key|access[_-]?key|auth[_-]?token|bearer)["']?[ \t]{0,3}[:= ][ \t]{0,3}["']?([^\s"',;]{8,200})/gi
/** Nothing may follow but the end of the line, a quote or a separator: behind a password that stands in a sentence the sentence goes on. */
const lettersAssigned =
  /(?<![a-z])(?:password|passwd|pwd|passphrase|passwort|kennwort|mot de passe|mdp)["']?[ \t]{0,3}[:=][ \t]{0,3}(["']?)([A-Za-z!#%*+?^~@_-]{8,64})(?=["',;&]|[ \t]*(?:$|\r?\n))/gim
/** RFC 7617 and 6750, with the name of the header or, for what decodes to `user:password`, without. */
const basic = /(?<![A-Za-z])basic[ \t]{1,3}([A-Za-z0-9+/]{8,400}={0,2})/gi
const authorization = /(?<![A-Za-z])authorization["']?[ \t]{0,3}[:=][ \t]{0,3}["']?(?:bearer|token)[ \t]{1,3}([0-9A-Za-z._~+/-]{12,4000}={0,2})/gi
/** What stands in a manual instead of a secret. */
const placeholder = /^(?:[*•x.]+$|[<{$%[(]|your|example|changeme|password$|passwort$|secret$)/i
/** What a program calls a value. */
const identifier = /pass|pwd|secret|token|key|value|string|input|field|null|undefined|wort/i
const camelCase = /^(?:[a-z]+(?:[A-Z][a-z]+)*|(?:[A-Z][a-z]+)+)$/
const userAndPassword = /^[\x21-\x39\x3B-\x7E]{1,100}:[\x21-\x7E]{3,200}$/

/** Passwords and tokens beside the word that says what they are. */
export function findPasswords(text: string): Finding[] {
  const found: Finding[] = []
  const see = (kind: string, pattern: RegExp, isOne: (match: RegExpExecArray) => boolean) => {
    for (const match of matchesOf(pattern, text)) if (isOne(match)) found.push({ kind, level: 3, start: match.index, end: match.index + match[0].length })
  }
  see('password in a URL', inUrl, ([, value]) => !placeholder.test(value!))
  see('password', assignment, ([, value]) => looksMade(value!))
  see('password', lettersAssigned, ([, quote, value]) => looksMadeOfLetters(value!, quote !== ''))
  see('password', basic, ([, value]) => userAndPassword.test(Buffer.from(value!, 'base64').toString('latin1')))
  see('access token', authorization, ([, value]) => !placeholder.test(value!) && entropy(value!) >= 3)
  return found
}

/** A word follows "password:" in many an ordinary sentence; what was made by a generator or a careful person mixes its characters. */
function looksMade(value: string): boolean {
  return !placeholder.test(value) && /\d/.test(value) && /[a-z]/i.test(value) && entropy(value) >= 2.75
}

/** Without a digit it needs signs, or capitals where no word and no name of a variable has them; in quotes capitals inside will do. */
function looksMadeOfLetters(value: string, quoted: boolean): boolean {
  if (placeholder.test(value) || entropy(value) < 2.75) return false
  if (/[A-Za-z][!#%*+?^~@]+[A-Za-z]/.test(value)) return true
  return !identifier.test(value) && /[a-z]/.test(value) && /.[A-Z]/.test(value) && /^[A-Za-z]+$/.test(value) && (quoted || !camelCase.test(value))
}
