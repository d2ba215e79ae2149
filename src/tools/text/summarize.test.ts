import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../../test/support/processor-time.ts'
import { sentencesOf } from './sentences.ts'
import { summarizeDocuments } from './summarize-documents.ts'

const bakery = {
  title: 'Shop is down',
  text: 'Our shop has been down since 5:40. Customers see a warning about the certificate. The weather is fine today. Orders for tomorrow close at 18:00. Can you repair the shop before the orders close?\n-- \nBakery Nordlicht, the best shop of all shops',
}
const museum = {
  title: 'Request for a quote',
  text: 'We ask for an offer for our ticket shop. The committee decides on Friday about the offer.\n> We ask for an offer for our ticket shop that you quoted\nA late offer cannot be considered by the committee.',
}

test('a summary is made of sentences that stand in the documents, each with its source', () => {
  const { points, text } = summarizeDocuments([bakery, museum], 4)
  assert.equal(points.length, 4)
  for (const point of points) {
    const document = [bakery, museum].find(({ title }) => title === point.source)
    assert.ok(document?.text.includes(point.text), point.text)
    assert.ok(text.includes(`${point.text} (${point.source})`))
  }
  assert.deepEqual(new Set(points.map(({ source }) => source)), new Set([bakery.title, museum.title]))
})

test('what is beside the point is left out, and so are signatures and quotations', () => {
  const said = summarizeDocuments([bakery, museum], 5).text
  assert.doesNotMatch(said, /weather/)
  assert.doesNotMatch(said, /best shop of all/)
  assert.doesNotMatch(said, /that you quoted/)
})

test('the same sentence is not said twice', () => {
  assert.equal(summarizeDocuments([museum, { ...museum, title: 'A copy' }], 10).points.filter(({ text }) => text.startsWith('We ask for')).length, 1)
})

test('nothing to say gives an empty summary', () => {
  assert.deepEqual(summarizeDocuments([], 5), { text: '', points: [] })
  assert.deepEqual(summarizeDocuments([{ title: 'x', text: '\n\n... 123 !!!' }], 5), { text: '', points: [] })
})

test('more sentences than there are are not invented', () => {
  assert.equal(summarizeDocuments([museum], 50).points.length, 3)
})

test('a list is read line by line, and a sentence without an end is cut', () => {
  assert.deepEqual(sentencesOf('- the first thing of all\n- the second thing of all'), ['the first thing of all', 'the second thing of all'])
  assert.equal(sentencesOf('word '.repeat(500))[0]!.length, 400)
})

test('a large and hostile text is summarised in bounded time', () => {
  const took = processorTime(() => void summarizeDocuments([{ title: 'x', text: 'Abc def ghi jkl mno. '.repeat(9_000) }, { title: 'y', text: '> > > '.repeat(30_000) }], 50))
  assert.ok(took < 5_000, `${took} ms`)
})
