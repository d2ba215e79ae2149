import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../../test/support/processor-time.ts'
import { detect, findAll, findings } from './detect.ts'

/** What is taken out of a text, as `kind: value`. */
const seen = (text: string) => findAll(text).sort((a, b) => a.start - b.start).map(({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`)

/** Each with a neighbour that differs in one character and is none. */
const ids: readonly [kind: string, is: string, isNot: string][] = [
  ['German tax id', 'Meine Steuer-ID ist 86095742719.', 'Meine Steuer-ID ist 86095742718.'],
  ['German tax id', 'unter 86 095 742 719 geführt', 'unter 86 095 742 717 geführt'],
  ['German insurance number', 'SV-Nummer 15 070649 C 103', 'SV-Nummer 15 070649 C 104'],
  ['German identity card', 'Personalausweis L01X00T471 liegt bei', 'Personalausweis L01X00T472 liegt bei'],
  ['Austrian insurance number', 'bei uns als 1237 010180', 'bei uns als 1238 010180'],
  ['Swiss insurance number', 'Versichert: 756.9217.0769.85', 'Versichert: 756.9217.0769.84'],
  ['French insurance number', 'n° 2 55 08 14 168 025 38', 'n° 2 55 08 14 168 025 39'],
  ['French insurance number', 'né en Corse, 1 85 05 2A 004 014 68', 'né en Corse, 1 85 05 2A 004 014 69'],
  ['British insurance number', 'NI number AB123456C', 'NI number BG123456C'],
  ['British insurance number', 'filed as AB 12 34 56 C', 'filed as AB 12 34 56 E'],
  ['NHS number', 'patient 9434765919', 'patient 9434765918'],
  ['US social security number', 'on file 123-45-6789 since May', 'on file 666-45-6789 since May'],
  ['US taxpayer number', 'ITIN 912-78-1234', 'ITIN 912-49-1234'],
  ['Australian tax number', 'my TFN is 123 456 782', 'my TFN is 123 456 783'],
  ['Australian Medicare number', 'card 2123 45670 1', 'card 2123 45680 1'],
]

for (const [kind, is, isNot] of ids) {
  test(`a ${kind} is found in ${JSON.stringify(is)}, and not with a character that does not fit`, () => {
    assert.ok(seen(is).some((found) => found.startsWith(`${kind}: `)), String(seen(is)))
    assert.ok(!seen(isNot).some((found) => found.startsWith(`${kind}: `)), String(seen(isNot)))
  })
}

test('an id raises a label to P2 only by a check digit that is right, and where numbers are common only beside its word', () => {
  for (const text of ['Steuer-ID 86095742719', '756.9217.0769.85', 'TFN 123 456 782', 'NHS number 943 476 5919', '15 070649 C 103']) assert.equal(detect(text), 2, text)
  for (const text of ['order 86095742719', 'SSN 123-45-6789', 'NI number AB123456C', 'call 943 476 5919', 'pay 123 456 782', 'invoice 1237010180', 'born 1980-02-01', '2001:db8::17', '415-555-0134']) {
    assert.deepEqual(findings(text), [], text)
  }
})

test('addresses of IPv6 are found in all their forms, times and network cards and paths are not', () => {
  for (const address of ['2001:db8:0:1:1:1:1:1', '2001:db8::17', 'fe80::1ff:fe23:4567:890a', '::1', '::ffff:192.0.2.128', '2001:DB8:ACAD::', '64:ff9b::192.0.2.33', 'fd12:3456:789a:1::1']) {
    for (const text of [`at ${address} now`, `[${address}]:8080`, `${address}/64`, `${address}%eth0`, `it is ${address}: yes`]) assert.ok(seen(text).includes(`IP address: ${address}`), `${text}: ${seen(text).join()}`)
  }
  for (const text of ['at 12:30:45 or 10:20', 'std::vec::Vec', 'a::b::c', 'use dead::beef;', '0:00:01.5', 'key::value', '1:2:3:4:5:6:7:8:9', '::', '00:11:22:33:44:55:66:77']) {
    assert.ok(!seen(text).some((found) => found.startsWith('IP')), `${text}: ${seen(text).join()}`)
  }
})

test('a date by a word about being born is found in every usual form, other dates are not', () => {
  const dates: readonly [text: string, date: string][] = [
    ['born 1984-03-12 in Kiel', '1984-03-12'], ['geboren am 12.03.1984', '12.03.1984'], ['geb. 12.3.84', '12.3.84'], ['DOB: 03/12/1984', '03/12/1984'], ['Date of birth 12th March 1984', '12th March 1984'],
    ['She was born on March 12, 1984.', 'March 12, 1984'], ['wurde am 12. März 1984 in Wien geboren', '12. März 1984'], ['née le 12 mars 1984', '12 mars 1984'], ['nato il 12/03/1984', '12/03/1984'], ['Geburtsdatum: 12-03-1984', '12-03-1984'],
    ['date de naissance : 1er août 1990', '1er août 1990'], ['born 3 May 1980, hired 5 June 2011', '3 May 1980'],
  ]
  for (const [text, date] of dates) assert.deepEqual(seen(text), [`date of birth: ${date}`])
  for (const text of ['due 2026-03-12', 'the child was born. Much later, and after all of that had been forgotten, on 2026-03-12', 'airborne 12.03.1984', 'born 99.99.1984', 'born in 1984', 'version 1.2.3 was born']) assert.deepEqual(seen(text), [], text)
})

test('phone numbers of North America are found in the three forms in which they are written', () => {
  for (const number of ['(415) 555-0134', '415-555-0134', '415.555.0134', '(415)555-0134', '1-415-555-0134']) assert.deepEqual(seen(`call ${number} today`), [`phone number: ${number}`])
  for (const text of ['part 115-555-0134', '2415-555-0134', 'v415.555.01345', '415.555.0134.2', '415-555-01345']) assert.ok(!seen(text).some((found) => found.startsWith('phone')), text)
})

test('an address with umlauts, one at the end of a sentence, and a number without groups beside its word are found whole', () => {
  assert.deepEqual(seen('an k.müller@bücher.example, 192.168.1.7. Tel. 01711234567.'), ['mail address: k.müller@bücher.example', 'IP address: 192.168.1.7', 'phone number: 01711234567'])
})

test('a mail address is found whose name is longer than any may be', () => {
  assert.match(seen(`to ${'a'.repeat(80)}@museum.example`).join(), /mail address: a{64}@museum\.example/)
})

test('the headers of Basic and Bearer, and passwords of letters behind their word, are secrets', () => {
  const basic = Buffer.from(['anna', 'to-pf'].join(':')).toString('base64')
  const secrets = [`Authorization: Basic ${basic}`, `curl -H "authorization: bearer ${'qZrLmXvTnBkWsYd'.repeat(2)}"`, `uses Basic ${basic} there`, 'password=hOrSeBatTerY', 'Passwort: "KorrektPferd"', 'PASSWORD=Tr!ckyPass', 'mdp : "ChevalCorrect"']
  for (const text of secrets) assert.equal(detect(text), 3, text)
  const clean = [
    'Basic authentication is off', 'Authorization: Bearer <token>', 'Authorization: Bearer YOUR_ACCESS_TOKEN', 'Basic understanding of it', 'password: userPassword,', 'password=formPassword', 'const password = readInput()',
    'Passwort: vergessen', 'Password: please ask Levke.', 'Kennwort: Wiederherstellung beantragen', 'password: correctly', 'passphrase: Everything you know', 'pwd=currentDirectory', 'password: ProductName', 'Passwort: Müllabfuhr',
  ]
  for (const text of clean) assert.equal(detect(text), 0, text)
})

test('twice the text takes about twice the time, whatever it repeats', () => {
  const parts = ['1 ', '12 345 678 ', '756.1234.', '2 55 08 ', 'A1', 'AB 12 34 56 ', '123-45-', '1234 010180 ', 'fe80::', '1:', '::', 'a:', 'born ', 'born 1.2.', 'May 1, ', 'geb. 12.03.1984 ', '(415) ', '415-555-', 'Basic QUFB', 'authorization: bearer ', 'password=', 'password=Ab', 'a@a.', '%41', 'QUJD', '9 '.repeat(30), 'TFN 123456789 ']
  const cost = (text: string) => processorTime(() => void findAll(text))
  for (const part of parts) {
    const [small, large] = [64_000, 128_000].map((length) => part.repeat(Math.ceil(length / part.length))) as [string, string]
    cost(small)
    const ratio = () => (Math.min(...[1, 2, 3, 4].map(() => cost(large))) + 0.5) / (Math.min(...[1, 2, 3, 4].map(() => cost(small))) + 0.5)
    const least = [ratio, ratio, ratio].reduce((best, again) => (best > 2.5 ? Math.min(best, again()) : best), Infinity)
    assert.ok(least <= 2.5, `${part}: twice the text took ${least.toFixed(2)} times as long`)
  }
})
