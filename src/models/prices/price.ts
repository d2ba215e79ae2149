/** What a model takes, in USD for a million tokens, as price lists write it. */
export interface Rates {
  readonly input: number
  readonly output: number
  /** Of input that was in the provider's cache. Left out: the price of input. */
  readonly cacheRead?: number | undefined
  /** Of input that is put into the cache. Left out: the price of input. */
  readonly cacheWrite?: number | undefined
}

export interface Price extends Rates {
  /** For the whole call, once its input has more than 200,000 tokens. */
  readonly above200k?: Rates | undefined
  /** Tokens that an answer can have at most, reasoning included. */
  readonly outputLimit?: number | undefined
}

/** What a call took. Cached tokens are among those of the input, tokens of reasoning among those of the output. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens?: number | undefined
  readonly cacheWriteTokens?: number | undefined
  readonly reasoningTokens?: number | undefined
}

const longInput = 200_000
const answerOfUnknownLength = 32_000
/** USD for a million tokens is as many millionths of a millionth of a dollar for one token. */
const picoPerUnit = 1_000_000
const nano = 1_000n

/** Cost of a call in billionths of a dollar, rounded up; whole numbers all the way, so that sums do not drift. */
export function costOf(usage: Usage, price: Price): number {
  const input = Math.max(0, usage.inputTokens)
  const read = Math.min(Math.max(0, usage.cachedTokens ?? 0), input)
  const written = Math.min(Math.max(0, usage.cacheWriteTokens ?? 0), input - read)
  const rates = input > longInput && price.above200k ? price.above200k : price
  return toNano(
    times(input - read - written, rates.input) +
    times(read, rates.cacheRead ?? rates.input) +
    times(written, rates.cacheWrite ?? rates.input) +
    times(Math.max(0, usage.outputTokens), rates.output),
  )
}

/** The most that a call can cost, in billionths of a dollar: every token of its input at the dearest way that input is billed. */
export function mostOf({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }, price: Price): number {
  const tiers: readonly Rates[] = inputTokens > longInput && price.above200k ? [price, price.above200k] : [price]
  const most = tiers.map((rates) => times(inputTokens, dearestInput(rates)) + times(outputTokens, rates.output))
  return toNano(most.reduce((a, b) => (a > b ? a : b)))
}

/** Tokens of output that so many billionths of a dollar pay for, besides the input. */
export function outputFor(nanoUsd: number, inputTokens: number, price: Price): number {
  const rates = inputTokens > longInput && price.above200k ? price.above200k : price
  const left = BigInt(nanoUsd) * nano - times(inputTokens, dearestInput(rates))
  if (left <= 0n) return 0
  return rates.output === 0 ? outputLimit(price) : Number(left / pico(rates.output))
}

/** Tokens that an answer has at most when the caller names no limit. */
export function outputLimit(price: Price): number {
  return price.outputLimit ?? answerOfUnknownLength
}

export function isFree(price: Price): boolean {
  return [price, ...(price.above200k ? [price.above200k] : [])].every((rates) => rates.output === 0 && dearestInput(rates) === 0)
}

function dearestInput({ input, cacheRead = 0, cacheWrite = 0 }: Rates): number {
  return Math.max(input, cacheRead, cacheWrite)
}

function times(tokens: number, usdPerMillion: number): bigint {
  return BigInt(Math.ceil(tokens)) * pico(usdPerMillion)
}

function pico(usdPerMillion: number): bigint {
  return BigInt(Math.round(usdPerMillion * picoPerUnit))
}

function toNano(amount: bigint): number {
  return Number((amount + nano - 1n) / nano)
}

/** Billionths of a euro, rounded up, at a rate in millionths of a euro for a dollar. */
export function toNanoEur(nanoUsd: number, microEurPerUsd: number): number {
  return Number((BigInt(nanoUsd) * BigInt(microEurPerUsd) + 999_999n) / 1_000_000n)
}

/** Billionths of a dollar that so many billionths of a euro are, rounded down. */
export function toNanoUsd(nanoEur: number, microEurPerUsd: number): number {
  return Number((BigInt(nanoEur) * 1_000_000n) / BigInt(microEurPerUsd))
}
