import { join, UNLABELLED, type Label } from '../labels/index.ts'
import type { FolderRule, House, MailRule } from './house.ts'
import { matches } from '../kernel/pattern.ts'

type IngestTable = Pick<House, 'settings' | 'labelRules'>

/** The envelope of a message as far as rules look at it: every field is a stranger's word. */
export interface IngestedMail {
  readonly account: string
  readonly from?: string
  readonly to?: readonly string[]
  readonly subject?: string
}

/**
 * The label of a file in a declared folder: the first rule about its place decides, else the folder's own. Detectors and front matter
 * raise it further. `path` is relative to the folder and resolved: no symlink in it leads elsewhere.
 */
export function labelOfFile(house: IngestTable, folder: string, path: string): Label {
  const declared = house.settings.folders.find((one) => one.name === folder)
  const place = [folder, ...path.split('/').filter((part) => part !== '' && part !== '.')]
  if (!declared || place.includes('..')) return UNLABELLED
  const rules = house.labelRules.filter((rule): rule is FolderRule => 'folder' in rule)
  const rule = rules.find((one) => isIn(place, one.folder, same))
  if (rule) return rule.label
  // a file system that does not tell `People` from `people` must not be a way around a rule that raises
  const spelled = rules.find((one) => isIn(place, one.folder, sameFolded))
  return spelled ? join(spelled.label, declared.label) : declared.label
}

/** The label of a message that arrives: the account's own, raised by every rule that matches. What the sender wrote can only raise it. */
export function labelOfMail(house: IngestTable, mail: IngestedMail): Label {
  const account = house.settings.mail.accounts.find((one) => one.name === mail.account)
  if (!account) return UNLABELLED
  const raising = house.labelRules.filter((rule): rule is MailRule => 'source' in rule && applies(rule, mail))
  return join(account.label, ...raising.map(({ level }) => ({ level, integrity: 'untrusted', lanes: [] }) as const))
}

function applies(rule: MailRule, mail: IngestedMail): boolean {
  return (
    (rule.account === undefined || rule.account === mail.account) &&
    (rule.from === undefined || matches(rule.from, mail.from ?? '')) &&
    (rule.to === undefined || (mail.to ?? []).some((address) => matches(rule.to!, address))) &&
    (rule.subject === undefined || matches(rule.subject, mail.subject ?? ''))
  )
}

function isIn(place: readonly string[], prefix: string, equal: (a: string, b: string) => boolean): boolean {
  return prefix.split('/').every((part, at) => place[at] !== undefined && equal(place[at], part))
}

const same = (a: string, b: string) => a === b

const sameFolded = (a: string, b: string) => fold(a) === fold(b)

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
