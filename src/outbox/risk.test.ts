import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { processorTime } from '../../test/support/processor-time.ts'
import type { RiskRule } from '../house/index.ts'
import { assessRisk, isExposing, type RiskSubject } from './risk.ts'

const subject: RiskSubject = {
  kind: 'mail', connector: 'file', label: { level: 1, integrity: 'trusted', lanes: [] }, addresses: ['eva@example.org'], strangers: [],
  hidden: 0, attachments: 0, title: 'Termin', text: 'Bis Montag.', answered: [], sentIbans: [],
}
const riskOf = (changes: Partial<RiskSubject>, rules: RiskRule[] = []) => assessRisk({ ...subject, ...changes }, rules)

test('each rule adds its points and says so', () => {
  assert.deepEqual(riskOf({}), { risk: 2, reasons: ['+2 an act of kind mail'] })
  assert.equal(riskOf({ kind: 'post' }).risk, 5)
  assert.equal(riskOf({ label: { ...subject.label, level: 2 } }).risk, 3)
  assert.equal(riskOf({ label: { ...subject.label, integrity: 'untrusted' } }).risk, 3)
  assert.deepEqual(riskOf({ strangers: ['eva@example.org'] }), { risk: 3, reasons: ['+2 an act of kind mail', '+1 nothing was ever sent to eva@example.org'] })
  assert.equal(riskOf({ hidden: 2 }).risk, 3)
  assert.equal(riskOf({ attachments: 1 }).risk, 3)
  assert.equal(riskOf({ addresses: Array.from({ length: 6 }, (_, index) => `a${index}@x.de`) }).risk, 3)
  assert.equal(riskOf({ addresses: Array.from({ length: 21 }, (_, index) => `a${index}@x.de`) }).risk, 5)
})

test('local-only content is at least 8, whatever else is true', () => {
  const risk = riskOf({ label: { level: 3, integrity: 'trusted', lanes: [] } })
  assert.equal(risk.risk, 8)
  assert.match(risk.reasons.join('\n'), /at least 8: local-only/)
})

test('words about money make at least 7, in subject and text, in either language', () => {
  for (const text of [
    'Unsere neue Bankverbindung lautet', 'Bitte überweisen Sie', 'die Überweisung ist da', 'IBAN DE89 3704 0044 0532 0130 00', 'auf DE89370400440532013000 bitte',
    'de89 3704 0044 0532 0130 00', 'we changed our bank account', 'please wire transfer the sum', 'your invoice', 'Rechnungen anbei', 'zahlen Sie bitte', 'our new account is', 'PayPal',
  ]) {
    assert.equal(riskOf({ text }).risk, 7, text)
    assert.equal(riskOf({ title: text }).risk, 7, text)
  }
})

test('a change of bank details makes at least 7 and is said, whichever word comes first', () => {
  for (const text of ['our bank details have changed', 'pay to the new IBAN', 'Die Bankverbindung hat sich geändert', 'unsere neue Kontoverbindung', 'Die IBAN ist neu']) {
    const { risk, reasons } = riskOf({ text })
    assert.equal(risk, 7, text)
    assert(reasons.includes('at least 7: it speaks of a change of bank details'), text)
  }
})

test('an answer to such a mail is high-risk whatever it says itself, and an answer that does not go to the sender costs a point', () => {
  const answered = [{ from: 'billing@kranich.example', subject: 'Corrected invoice', text: 'our bank details have changed' }]
  const { risk, reasons } = riskOf({ text: 'Thank you, done.', addresses: ['billing@kranich.example'], answered })
  assert.equal(risk, 7)
  assert.deepEqual(reasons.slice(1), ['at least 7: the mail that it answers speaks of a change of bank details'])
  const elsewhere = riskOf({ text: 'Thank you.', answered: [{ ...answered[0]!, text: '' }] })
  assert.deepEqual(elsewhere, { risk: 3, reasons: ['+2 an act of kind mail', '+1 the mail that it answers came from billing@kranich.example, and the answer does not go there'] })
})

test('another account than was named to them before is at least 8 and names both; the same account written otherwise is not', () => {
  const sentIbans = ['DE89370400440532013000']
  const { risk, reasons } = riskOf({ text: 'Please pay to LT12 1000 0111 0100 1000', sentIbans })
  assert.equal(risk, 8)
  assert(reasons.includes('at least 8: it names the account LT121000011101001000; what was sent to them before named DE89370400440532013000'))
  assert.equal(riskOf({ text: 'as before: de89 3704 0044 0532 0130 00', sentIbans }).risk, 7)
})

test('words that only look alike add nothing', () => {
  for (const text of ['Die Berechnung der Statik', 'eine Anzahl von Äpfeln', 'the bank of the river', 'KW12 wird am Montag besprochen', 'Basiswissen über Biscuits', 'account', 'am 12.03. um 10:15 Uhr']) {
    assert.equal(riskOf({ text }).risk, 2, text)
  }
})

test('rules of the house add when all of their conditions hold', () => {
  const rule: RiskRule = { when: { kind: 'mail', recipients: ['*@press.example', '*@tv.example'], keywords: ['Interview'] }, add: 4, reason: 'the press' }
  assert.equal(riskOf({ addresses: ['a@PRESS.example'], text: 'zum interview' }, [rule]).risk, 6)
  assert.equal(riskOf({ addresses: ['a@press.example'] }, [rule]).risk, 2)
  assert.equal(riskOf({ text: 'zum interview' }, [rule]).risk, 2)
  assert.equal(riskOf({ text: 'interview' }, [{ when: {}, add: -1, reason: 'all is well' }]).risk, 1)
})

test('a house rule cannot talk a floor down, and the risk stays between 1 and 10', () => {
  assert.equal(riskOf({ text: 'IBAN' }, [{ when: {}, add: -9, reason: 'trust me' }]).risk, 7)
  fc.assert(fc.property(fc.array(fc.integer({ min: -20, max: 20 })), (adds) => {
    const { risk } = riskOf({}, adds.map((add) => ({ when: {}, add, reason: 'x' })))
    assert(Number.isInteger(risk) && risk >= 1 && risk <= 10)
  }))
})

test('a hostile text of a megabyte is judged in no time', () => {
  for (const text of ['new '.repeat(250_000), 'AA11 '.repeat(200_000), `new ${'bank'.repeat(250_000)}`, 'a'.repeat(1_000_000), 'änder'.repeat(200_000), 'bank '.repeat(200_000), `${'iban '.repeat(10)}x`.repeat(18_000), 'konto'.repeat(200_000)]) {
    assert(processorTime(() => void riskOf({ text })) < 5_000)
  }
})

test('a newsletter is at least 8, with whatever words, and a post has the risk of what it says', () => {
  const calm = { ...subject.label, level: 0, integrity: 'trusted' } as const
  const { risk, reasons } = riskOf({ kind: 'newsletter.send', label: calm, text: 'Hallo' })
  assert.deepEqual([risk, reasons.at(-1)], [8, 'at least 8: it goes to many at once, and nothing calls it back'])
  assert.equal(riskOf({ kind: 'social.post', label: calm, text: 'Hallo', addresses: [], strangers: [] }).risk, 4)
  assert.deepEqual(['social.post', 'newsletter.send', 'mail', 'telegram.message', 'webhook'].map(isExposing), [true, true, false, false, false])
})
