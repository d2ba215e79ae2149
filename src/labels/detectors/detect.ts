import type { Level } from '../label.ts'
import { findAccounts } from './accounts.ts'
import { findContacts } from './contacts.ts'
import { findNationalIds } from './national-ids.ts'
import { findSecrets } from './secrets.ts'

/** One thing that a detector saw. `text` is never kept: a log line about a secret must not hold it. */
export interface Finding {
  readonly kind: string
  readonly level: Level
  readonly start: number
  readonly end: number
}

/** Longer texts are looked at in pieces of this many characters that overlap by `overlap`. */
const piece = 1_000_000

/** The lowest level that this text can have: P3 for clear secrets, P2 for checksummed personal data. Detectors only raise. */
export function detect(text: string): Level {
  if (text.length > piece) {
    let level: Level = 0
    for (let at = 0; at < text.length && level < 3; at += piece - 10_000) {
      const found = detect(text.slice(at, at + piece))
      if (found > level) level = found
    }
    return level
  }
  return findings(text).reduce<Level>((level, finding) => (finding.level > level ? finding.level : level), 0)
}

/** Everything that says something of a text's label, in the order of the text. A national id says it only by a check digit that is right. */
export function findings(text: string): Finding[] {
  const ids = findNationalIds(text).filter(({ raises }) => raises).map(({ raises: _, ...finding }) => finding)
  return [...findSecrets(text), ...findAccounts(text), ...ids].sort((a, b) => a.start - b.start)
}

/** Everything that is not handed on: besides, what is too common to raise a label, and ids that have no check digit. */
export function findAll(text: string): Finding[] {
  return [...findSecrets(text), ...findAccounts(text), ...findNationalIds(text), ...findContacts(text)]
}
