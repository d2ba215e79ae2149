import type { Finding } from './detect.ts'
import { entropy } from './entropy.ts'

/** Every quantifier is bounded or runs over one class of characters, so that a hostile text costs linear time. */
const shapes: readonly { kind: string; pattern: RegExp; bits?: number }[] = [
  { kind: 'private key', pattern: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g },
  { kind: 'age key', pattern: /\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b/g },
  { kind: 'AWS key', pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, bits: 3 },
  { kind: 'GitHub token', pattern: /\bgh[pousr]_[0-9A-Za-z]{36,255}\b/g, bits: 3.5 },
  { kind: 'GitHub token', pattern: /\bgithub_pat_[0-9A-Za-z_]{50,255}\b/g, bits: 3.5 },
  { kind: 'GitLab token', pattern: /\bglpat-[0-9A-Za-z_-]{20,64}\b/g, bits: 3 },
  { kind: 'model key', pattern: /\bsk-(?:ant-|proj-|or-)?[0-9A-Za-z_-]{20,255}/g, bits: 3.5 },
  { kind: 'Google key', pattern: /\bAIza[0-9A-Za-z_-]{35}/g, bits: 3.5 },
  { kind: 'Hugging Face token', pattern: /\bhf_[0-9A-Za-z]{30,64}\b/g, bits: 3.5 },
  { kind: 'Slack token', pattern: /\bxox[abeoprs]-[0-9A-Za-z-]{20,255}/g, bits: 3 },
  { kind: 'Stripe key', pattern: /\b[rs]k_(?:live|test)_[0-9A-Za-z]{20,255}\b/g, bits: 3 },
  { kind: 'npm token', pattern: /\bnpm_[0-9A-Za-z]{36}\b/g, bits: 3.5 },
  { kind: 'SendGrid key', pattern: /\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}/g },
  { kind: 'Telegram token', pattern: /\b\d{8,10}:[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])/g, bits: 3.5 },
  { kind: 'Castellan key', pattern: /\b(?:cst|ck)_[0-9a-f]{64}\b/g },
  { kind: 'signed token', pattern: /\beyJ[0-9A-Za-z_-]{10,2000}\.eyJ[0-9A-Za-z_-]{10,4000}\.[0-9A-Za-z_-]{20,1000}/g },
]

const passwordInUrl = /:\/\/[^\s/:@]{0,100}:([^\s/@]{1,200})@/g
const assignment =
  /(?<![a-z])(?:password|passwd|passphrase|passwort|kennwort|secret|api[_-]?key|access[_-]?key|auth[_-]?token|bearer)["']?[ \t]{0,3}[:= ][ \t]{0,3}["']?([^\s"',;]{8,200})/gi
/** What stands in a manual instead of a secret. */
const placeholder = /^(?:[*•x.]+$|[<{$%[(]|your|example|changeme|password$|passwort$|secret$)/i

/** Keys, tokens and passwords that nobody could take for anything else: P3. */
export function findSecrets(text: string): Finding[] {
  const found: Finding[] = []
  for (const { kind, pattern, bits } of shapes) {
    for (const match of text.matchAll(pattern)) {
      if (bits === undefined || entropy(match[0]) >= bits) found.push(secret(kind, match.index, match[0].length))
    }
  }
  for (const match of text.matchAll(passwordInUrl)) {
    if (!placeholder.test(match[1]!)) found.push(secret('password in a URL', match.index, match[0].length))
  }
  for (const match of text.matchAll(assignment)) {
    if (looksMade(match[1]!)) found.push(secret('password', match.index, match[0].length))
  }
  return found
}

/** A word follows "password:" in many an ordinary sentence; what was made by a generator or a careful person mixes its characters. */
function looksMade(value: string): boolean {
  return !placeholder.test(value) && /\d/.test(value) && /[a-z]/i.test(value) && entropy(value) >= 2.75
}

function secret(kind: string, start: number, length: number): Finding {
  return { kind, level: 3, start, end: start + length }
}
