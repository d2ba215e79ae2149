import type { Finding } from './detect.ts'
import { entropy } from './entropy.ts'
import { findPasswords } from './passwords.ts'
import { matchesOf } from './matches.ts'

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
  // digits written out, and what borders them behind them: see accounts.ts
  { kind: 'Telegram token', pattern: /\d\d\d\d\d\d\d\d\d{0,2}(?<=\b\d{8,10}):[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])/g, bits: 3.5 },
  { kind: 'Castellan key', pattern: /\b(?:cst|ck)_[0-9a-f]{64}\b/g },
  { kind: 'signed token', pattern: /\beyJ[0-9A-Za-z_-]{10,2000}\.eyJ[0-9A-Za-z_-]{10,4000}\.[0-9A-Za-z_-]{20,1000}/g },
]

/** Keys, tokens and passwords that nobody could take for anything else: P3. */
export function findSecrets(text: string): Finding[] {
  const found: Finding[] = []
  for (const { kind, pattern, bits } of shapes) {
    for (const match of matchesOf(pattern, text)) {
      if (bits === undefined || entropy(match[0]) >= bits) found.push({ kind, level: 3, start: match.index, end: match.index + match[0].length })
    }
  }
  return [...found, ...findPasswords(text)]
}
