import type { RiskRule } from '../house/index.ts'
import { matches } from '../house/index.ts'
import { describeLevel, type Label } from '../labels/index.ts'
import { isClearanceKind } from './clearances/clearance-act.ts'
import type { Finding } from './compose/composed.ts'
import { ibansIn, speaksOfBankChange } from './bank-accounts.ts'

/** From here on a draft is high-risk: it expires soon and is never approved together with others. */
export const highRisk = 7

/** Goes to many at once, so that it takes the passkey itself whatever a row says of its risk. */
const newsletter = 'newsletter.send'

/** May a key that stands for one use of a passkey hours ago sign it, or does it take the passkey itself? */
export function sessionMaySign({ kind, risk, label }: { readonly kind: string; readonly risk: number; readonly label: Label }): boolean {
  return risk < highRisk && label.level < 3 && kind !== newsletter
}

export interface RiskSubject {
  readonly kind: string
  readonly connector: string
  readonly label: Label
  readonly addresses: readonly string[]
  /** Those of `addresses` to which nothing was released before. */
  readonly strangers: readonly string[]
  readonly hidden: number
  readonly attachments: number
  readonly title: string
  readonly text: string
  /** What stands in the mail that it answers, as a worker read it; several where several claim that Message-ID. */
  readonly answered: readonly AnsweredWords[]
  /** The IBANs that were in what was sent to one of `addresses` before. */
  readonly sentIbans: readonly string[]
  /** What whoever composed it found. */
  readonly findings?: readonly Finding[]
}

export interface AnsweredWords {
  readonly from: string | null
  readonly subject: string
  readonly text: string
}

export interface Risk {
  readonly risk: number
  /** One line a rule that spoke: `+2 the label is P3 local only`, `at least 7: …`. */
  readonly reasons: readonly string[]
}

const base: Readonly<Record<string, number>> = { mail: 2, 'mail.move': 2, 'mail.flag': 1, 'lane.clear': 8, 'model.own': 9, 'order.stand': 8, 'outbox.resume': 8, webhook: 3, 'http.request': 4, 'telegram.message': 2, 'files.delete': 3, 'files.move': 2, 'git.push': 3, 'pull.open': 3, 'shell.act': 4, 'social.post': 4, 'newsletter.send': 4, 'calendar.create': 2, 'calendar.change': 3, 'calendar.delete': 3 }
/** Acts whose text is what a stranger wrote about something else: nobody is told anything by them. */
const silent: ReadonlySet<string> = new Set(['mail.move', 'mail.flag', 'files.delete', 'files.move', 'git.push', 'shell.act', 'calendar.delete', 'order.stand', 'outbox.resume'])
/** Acts that speak to people whom nobody can name; nothing that was signed in advance for a kind of act releases one. */
const exposing: ReadonlySet<string> = new Set(['social.post', newsletter])

/** Has it readers whom nobody can name? Then P3 has no way out through it. */
export function isExposing(kind: string): boolean {
  return exposing.has(kind)
}

const manyRecipients = 5
const veryManyRecipients = 20

// German and English, as the words stand in mail about money; a false alarm costs the operator a look
const payment = words([
  'iban', 'bic', 'swift', 'sepa', 'wire transfers?', 'bank transfers?', 'bank accounts?', 'bank details', 'account numbers?', 'sort code',
  'routing number', 'invoices?', 'payments?', 'payable', 'refunds?', 'paypal', 'bitcoin', 'überweis\\p{L}*', 'zahl(?:en|ung\\p{L}*)', 'bezahl\\p{L}*',
  'rechnung\\p{L}*', 'bankverbindung\\p{L}*', 'kontonummer\\p{L}*', 'kontodaten', 'bankdaten', 'lastschrift\\p{L}*', 'mahnung\\p{L}*',
])
const ibanShape = /\b(?:[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}|[a-z]{2}\d{2}(?:[ -]?\d){11,30})\b/u

/** Whole words without regard to case; `\b` would not see the edge before an umlaut. */
function words(patterns: readonly string[]): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${patterns.join('|')})(?![\\p{L}\\p{N}])`, 'iu')
}

/** Declared rules, added up and held between 1 and 10; some only set a floor. The same draft always has the same risk. */
export function assessRisk(subject: RiskSubject, houseRules: readonly RiskRule[]): Risk {
  const reasons: string[] = []
  let sum = 0
  let floor = 1
  const add = (points: number, why: string) => {
    sum += points
    reasons.push(`${points < 0 ? '−' : '+'}${Math.abs(points)} ${why}`)
  }
  const atLeast = (level: number, why: string) => {
    floor = Math.max(floor, level)
    reasons.push(`at least ${level}: ${why}`)
  }

  add(base[subject.kind] ?? 5, `an act of kind ${subject.kind}`)
  if (subject.label.level >= 2) add(subject.label.level - 1, `the label is ${describeLevel(subject.label.level)}`)
  if (subject.label.integrity === 'untrusted') add(1, 'text that a stranger wrote had a part in it')
  if (subject.strangers.length > 0) {
    add(1, subject.strangers.length === 1 ? `nothing was ever sent to ${subject.strangers[0]}` : `nothing was ever sent to ${subject.strangers.length} of the recipients`)
  }
  if (subject.addresses.length > veryManyRecipients) add(3, `${subject.addresses.length} recipients`)
  else if (subject.addresses.length > manyRecipients) add(1, `${subject.addresses.length} recipients`)
  if (subject.hidden > 0) add(1, `${subject.hidden} recipient${subject.hidden > 1 ? 's' : ''} in BCC`)
  if (subject.attachments > 0) add(1, `${subject.attachments} attachment${subject.attachments > 1 ? 's leave' : ' leaves'} the house`)
  const said = `${subject.title}\n${subject.text}`
  if (!silent.has(subject.kind)) for (const [level, why] of speaksOfMoney(subject, said)) atLeast(level, why)
  for (const from of answeredElsewhere(subject)) add(1, `the mail that it answers came from ${from}, and the answer does not go there`)
  for (const finding of subject.findings ?? []) {
    if ('add' in finding) add(finding.add, finding.why)
    else atLeast(finding.atLeast, finding.why)
  }
  if (subject.label.level === 3) atLeast(8, 'local-only content would leave the house')
  // whatever the rules of the house take away: a program may have written them
  if (isClearanceKind(subject.kind)) atLeast(8, 'it changes what may reach whom, from then on and without asking again')
  if (subject.kind === 'order.stand') atLeast(8, 'acts leave by it from then on that nobody signs one by one')
  if (subject.kind === newsletter) atLeast(8, 'it goes to many at once, and nothing calls it back')
  if (subject.kind === 'outbox.resume') atLeast(8, 'what was signed before leaves by it, on the word of a database that is older than what left')
  for (const rule of houseRules) {
    if (applies(rule, subject, said)) add(rule.add, `${rule.reason} (rule of the house)`)
  }
  return { risk: Math.min(10, Math.max(floor, sum)), reasons }
}

/** What it says of money, and what the mail says that it answers: the least risk that follows from each. */
function speaksOfMoney({ answered, sentIbans }: RiskSubject, said: string): [level: number, why: string][] {
  const found: [number, string][] = []
  const other = sentIbans.length === 0 ? undefined : ibansIn(said).find((iban) => !sentIbans.includes(iban))
  if (ibanShape.test(said)) found.push([highRisk, 'it holds something like an IBAN'])
  if (other !== undefined) found.push([8, `it names the account ${other}; what was sent to them before named ${sentIbans.join(', ')}`])
  if (speaksOfBankChange(said)) found.push([highRisk, 'it speaks of a change of bank details'])
  const word = found.length === 0 ? payment.exec(said)?.[0] : undefined
  if (word !== undefined) found.push([highRisk, `it speaks of payment (“${word}”)`])
  if (answered.some(({ subject, text }) => speaksOfBankChange(`${subject}\n${text}`))) found.push([highRisk, 'the mail that it answers speaks of a change of bank details'])
  return found
}

/** Senders of the answered mail who do not get the answer: a Reply-To can lead it to somebody else. */
function answeredElsewhere({ answered, addresses }: RiskSubject): string[] {
  return answered.flatMap(({ from }) => (from !== null && !addresses.includes(from.toLowerCase()) ? [from] : []))
}

function applies({ when }: RiskRule, subject: RiskSubject, said: string): boolean {
  return (
    (when.kind === undefined || when.kind === subject.kind) &&
    (when.connector === undefined || when.connector === subject.connector) &&
    (when.keywords === undefined || when.keywords.some((word) => said.toLowerCase().includes(word.toLowerCase()))) &&
    (when.recipients === undefined || when.recipients.some((pattern) => subject.addresses.some((address) => matches(pattern, address))))
  )
}
