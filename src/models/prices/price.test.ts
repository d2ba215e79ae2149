import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findPrice } from './find-price.ts'
import { costOf, isFree, mostOf, outputFor, toNanoEur, toNanoUsd, type Price } from './price.ts'
import { priceTable } from './price-table.ts'

const sonnet = priceTable['claude-sonnet-4-5']!

test('each kind of token has its price, and what is cached is part of the input', () => {
  assert.equal(costOf({ inputTokens: 1_000_000 - 800_000, outputTokens: 0 }, sonnet), 600_000_000)
  assert.equal(costOf({ inputTokens: 1_000, outputTokens: 100 }, sonnet), 3_000_000 + 1_500_000)
  assert.equal(costOf({ inputTokens: 1_000, outputTokens: 100, cachedTokens: 600, cacheWriteTokens: 300 }, sonnet), 300_000 + 180_000 + 1_125_000 + 1_500_000)
  assert.equal(costOf({ inputTokens: 1_000, outputTokens: 100, reasoningTokens: 90 }, sonnet), costOf({ inputTokens: 1_000, outputTokens: 100 }, sonnet))
})

test('a call with more than 200,000 tokens of input has the price of long calls, all of it', () => {
  assert.equal(costOf({ inputTokens: 200_001, outputTokens: 1_000 }, sonnet), 200_001 * 6_000 + 1_000 * 22_500)
  assert.equal(costOf({ inputTokens: 200_000, outputTokens: 1_000 }, sonnet), 200_000 * 3_000 + 1_000 * 15_000)
})

test('an upstream that reports more cached tokens than tokens is not paid for less than nothing', () => {
  assert.equal(costOf({ inputTokens: 10, outputTokens: 0, cachedTokens: 50, cacheWriteTokens: 50 }, sonnet), 3_000)
  assert.equal(costOf({ inputTokens: -5, outputTokens: -5 }, sonnet), 0)
})

const anyPrice = fc.record({
  input: fc.integer({ min: 0, max: 200_000 }).map((milli) => milli / 1_000),
  output: fc.integer({ min: 0, max: 200_000 }).map((milli) => milli / 1_000),
  cacheRead: fc.option(fc.integer({ min: 0, max: 200_000 }).map((milli) => milli / 1_000), { nil: undefined }),
  cacheWrite: fc.option(fc.integer({ min: 0, max: 200_000 }).map((milli) => milli / 1_000), { nil: undefined }),
})
const anyLongPrice: fc.Arbitrary<Price> = fc.record({ base: anyPrice, above200k: fc.option(anyPrice, { nil: undefined }) }).map(({ base, above200k }) => ({ ...base, above200k }))
const tokens = fc.integer({ min: 0, max: 2_000_000 })

test('no call costs more than the most that was reckoned for it', () => {
  fc.assert(fc.property(anyLongPrice, tokens, tokens, tokens, tokens, fc.double({ min: 0, max: 1, noNaN: true }), (price, inputTokens, outputTokens, cachedTokens, cacheWriteTokens, part) => {
    const usage = { inputTokens: Math.floor(inputTokens * part), outputTokens, cachedTokens, cacheWriteTokens }
    assert.ok(costOf(usage, price) <= mostOf({ inputTokens, outputTokens }, price))
  }), { numRuns: 1_000 })
})

test('as many tokens of output as a sum pays for cost no more than the sum', () => {
  fc.assert(fc.property(anyPrice, tokens, fc.integer({ min: 0, max: 10_000_000_000 }), (price, inputTokens, sum) => {
    const output = outputFor(sum, inputTokens, price)
    if (output > 0) assert.ok(mostOf({ inputTokens, outputTokens: output }, price) <= sum + (isFree({ ...price, input: 0, cacheRead: 0, cacheWrite: 0 }) ? 0 : 1))
  }))
})

test('euros are whole billionths, and there and back never gains', () => {
  assert.equal(toNanoEur(1_000_000_000, 860_000), 860_000_000)
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 10_000, max: 5_000_000 }), (eur, rate) => assert.ok(toNanoEur(toNanoUsd(eur, rate), rate) <= eur)))
})

test('a price is found by name, with a date or the provider’s name around it, and never by a part of a name', () => {
  const find = (model: string) => findPrice({ upstream: 'far', model }, {})
  assert.equal(find('claude-sonnet-4-5-20250929'), sonnet)
  assert.equal(find('anthropic/claude-sonnet-4-5'), sonnet)
  assert.equal(find('mistral-large-latest'), priceTable['mistral-large'])
  assert.equal(find('gpt-5-2025-08-07'), priceTable['gpt-5'])
  for (const model of ['gpt-5-ultra', 'gpt', 'constructor', 'gpt-5x', '']) assert.equal(find(model), undefined, model)
})

test('the operator’s price goes before the table, and of his patterns the longest', () => {
  const overlay = { 'far/*': { input: 1, output: 1 }, 'far/gpt-5*': { input: 2, output: 2 }, 'gpt-5-mini': { input: 3, output: 3 } }
  const inputOf = (upstream: string, model: string) => findPrice({ upstream, model }, overlay)?.input
  assert.deepEqual([inputOf('far', 'x'), inputOf('far', 'gpt-5.9'), inputOf('near', 'gpt-5-mini'), inputOf('near', 'gpt-5')], [1, 2, 3, 1.25])
})
