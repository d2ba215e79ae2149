import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { processorTime } from '../../../test/support/processor-time.ts'
import { createDictionary } from './dictionary.ts'

const dictionary = createDictionary([
  { kind: 'name', words: ['Anna Müller', 'A. Müller'] },
  { kind: 'name', words: ['Groß', 'Ørsted', 'Renée Dubois', 'Ли Вэй'] },
  { kind: 'client', words: ['Halden Studio GmbH', 'Halden', 'SAP'] },
  { kind: 'project', words: ['Nordlicht 7'] },
])
const seen = (text: string) => dictionary.find(text).map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`)

test('a word is found however it is written', () => {
  for (const text of ['Anna Müller', 'ANNA MUELLER', 'anna muller', 'Anna  Mu\u0308ller', 'Anna-Müller', 'anna\nmüller', 'Ａnna Müller']) assert.deepEqual(seen(`for ${text}, today`), [`name ${text}`], text)
  for (const text of ['Groß', 'GROSS', 'gross', 'Orsted', 'Oersted', 'ØRSTED', 'Renee Dubois', 'RENÉE DUBOIS', 'ли вэй']) assert.deepEqual(seen(`(${text})`), [`name ${text}`], text)
})

test('in some of its cases too', () => {
  for (const text of ["Anna Müller's letter", 'Annas Brief an Anna Müllers Amt', 'Haldens Angebot', 'den Haldenen']) assert.equal(seen(text).length, 1, text)
  assert.deepEqual(seen('Anna Müllers Amt'), ['name Anna Müllers'])
})

test('as a whole word, and the longest phrase that fits', () => {
  assert.deepEqual(seen('Schalden, Haldenberg, Joanna Müller-Anna, xSAP'), [])
  assert.deepEqual(seen('Halden Studio GmbH and Halden'), ['client Halden Studio GmbH', 'client Halden'])
  assert.deepEqual(seen('Nordlicht 7, Nordlicht 77, Nordlicht'), ['project Nordlicht 7'])
})

test('a word of up to three letters in its own case alone', () => {
  assert.deepEqual(seen('SAP makes sap of a Sap'), ['client SAP'])
})

test('found in a text is found in a longer one', () => {
  fc.assert(fc.property(fc.string(), fc.constantFrom('Anna Müller', 'Halden', 'Ørsted', 'Ли Вэй'), fc.string(), (before, word, after) => {
    assert.ok(seen(`${before} ${word} ${after}`).some((found) => found.includes(word)))
  }))
})

test('five thousand words cost little more than five, and a hostile text no more than its length', () => {
  const many = createDictionary(Array.from({ length: 5_000 }, (_, index) => ({ kind: 'client' as const, words: [`Firma${index} Holding`, `Zeta${index}`] })))
  for (const part of ['Firma1 ', 'Firma1 Holdin ', 'ö', 'a', 'Anna ', 'lorem ipsum dolor ', 'A. ']) {
    const took = [1, 2].map((times) => {
      const text = part.repeat((times * 400_000) / part.length)
      return processorTime(() => void many.find(text))
    })
    assert.ok(took[1]! < 1_000, `${part}: ${took}`)
  }
})
