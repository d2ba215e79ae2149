import type { Price } from './price.ts'

/** The day whose prices these are meant to be. They were not compared with the providers' pages: `models.prices` in castellan.yaml goes before the table. */
export const priceTableDate = '2026-04-01'
export const priceTableSource = 'the list prices of Anthropic, OpenAI, Google (Gemini API), Moonshot AI and Mistral AI as generally known, standard tier, text; not compared with their pages'

const k = 1_000

/** Anthropic bills what is read from its cache at a tenth of the input, what is written for five minutes at five quarters. */
function anthropic(input: number, output: number, outputLimit: number): Price {
  return { input, output, cacheRead: input / 10, cacheWrite: (input * 5) / 4, outputLimit }
}

const sonnetWithLongInput: Price = { ...anthropic(3, 15, 64 * k), above200k: anthropic(6, 22.5, 64 * k) }
const opusFour = anthropic(15, 75, 32 * k)
const opusFourFive = anthropic(5, 25, 128 * k)
const gptFive: Price = { input: 1.25, cacheRead: 0.125, output: 10, outputLimit: 128 * k }
const gptFiveTwo: Price = { input: 1.75, cacheRead: 0.175, output: 14, outputLimit: 128 * k }
const geminiThreePro: Price = {
  input: 2, cacheRead: 0.2, output: 12, outputLimit: 65_536, above200k: { input: 4, cacheRead: 0.4, output: 18 },
}
const kimiTwo: Price = { input: 0.6, cacheRead: 0.15, output: 2.5, outputLimit: 32 * k }
const kimiTwoTurbo: Price = { input: 1.15, cacheRead: 0.15, output: 8, outputLimit: 32 * k }

/** USD for a million tokens, by the model's own name without its date. A name that is not here has no price; a longer name is another model. */
export const priceTable: Readonly<Record<string, Price>> = {
  'claude-opus-4-8': opusFourFive,
  'claude-opus-4-7': opusFourFive,
  'claude-opus-4-6': { ...opusFourFive, above200k: anthropic(10, 37.5, 128 * k) },
  'claude-opus-4-5': anthropic(5, 25, 64 * k),
  'claude-opus-4-1': opusFour,
  'claude-opus-4': opusFour,
  'claude-sonnet-4-6': sonnetWithLongInput,
  'claude-sonnet-4-5': sonnetWithLongInput,
  'claude-sonnet-4': sonnetWithLongInput,
  'claude-haiku-4-5': anthropic(1, 5, 64 * k),
  'claude-3-5-haiku': anthropic(0.8, 4, 8_192),

  'gpt-5.4': { input: 2.5, cacheRead: 0.25, output: 15, outputLimit: 128 * k, above200k: { input: 5, cacheRead: 0.5, output: 22.5 } },
  'gpt-5.4-mini': { input: 0.75, cacheRead: 0.075, output: 4.5, outputLimit: 128 * k },
  'gpt-5.4-nano': { input: 0.2, cacheRead: 0.02, output: 1.25, outputLimit: 128 * k },
  'gpt-5.3-codex': gptFiveTwo,
  'gpt-5.2': gptFiveTwo,
  'gpt-5.2-codex': gptFiveTwo,
  'gpt-5.1': gptFive,
  'gpt-5.1-codex': gptFive,
  'gpt-5': gptFive,
  'gpt-5-codex': gptFive,
  'gpt-5-mini': { input: 0.25, cacheRead: 0.025, output: 2, outputLimit: 128 * k },
  'gpt-5-nano': { input: 0.05, cacheRead: 0.005, output: 0.4, outputLimit: 128 * k },
  'gpt-5-pro': { input: 15, output: 120, outputLimit: 272 * k },
  'gpt-4.1': { input: 2, cacheRead: 0.5, output: 8, outputLimit: 32_768 },
  'gpt-4.1-mini': { input: 0.4, cacheRead: 0.1, output: 1.6, outputLimit: 32_768 },
  'gpt-4.1-nano': { input: 0.1, cacheRead: 0.025, output: 0.4, outputLimit: 32_768 },
  'gpt-4o': { input: 2.5, cacheRead: 1.25, output: 10, outputLimit: 16_384 },
  'gpt-4o-mini': { input: 0.15, cacheRead: 0.075, output: 0.6, outputLimit: 16_384 },
  'o3': { input: 2, cacheRead: 0.5, output: 8, outputLimit: 100 * k },
  'o4-mini': { input: 1.1, cacheRead: 0.275, output: 4.4, outputLimit: 100 * k },
  'text-embedding-3-small': { input: 0.02, output: 0, outputLimit: 0 },
  'text-embedding-3-large': { input: 0.13, output: 0, outputLimit: 0 },

  'gemini-3.1-pro-preview': geminiThreePro,
  'gemini-3-pro-preview': geminiThreePro,
  'gemini-3-flash-preview': { input: 0.5, cacheRead: 0.05, output: 3, outputLimit: 65_536 },
  'gemini-3.1-flash-lite-preview': { input: 0.25, cacheRead: 0.025, output: 1.5, outputLimit: 65_536 },
  'gemini-2.5-pro': { input: 1.25, cacheRead: 0.125, output: 10, outputLimit: 65_536, above200k: { input: 2.5, cacheRead: 0.25, output: 15 } },
  'gemini-2.5-flash': { input: 0.3, cacheRead: 0.03, output: 2.5, outputLimit: 65_536 },
  'gemini-2.5-flash-lite': { input: 0.1, cacheRead: 0.01, output: 0.4, outputLimit: 65_536 },
  'gemini-embedding-001': { input: 0.15, output: 0, outputLimit: 0 },

  'kimi-k2.5': { input: 0.6, cacheRead: 0.1, output: 3, outputLimit: 32 * k },
  'kimi-k2-0905-preview': kimiTwo,
  'kimi-k2-thinking': kimiTwo,
  'kimi-k2-turbo-preview': kimiTwoTurbo,
  'kimi-k2-thinking-turbo': kimiTwoTurbo,

  'mistral-large-2512': { input: 0.5, output: 1.5, outputLimit: 32 * k },
  'mistral-large': { input: 2, output: 6, outputLimit: 32 * k },
  'mistral-medium': { input: 0.4, output: 2, outputLimit: 32 * k },
  'mistral-small': { input: 0.1, output: 0.3, outputLimit: 32 * k },
  'magistral-medium': { input: 2, output: 5, outputLimit: 40 * k },
  'codestral': { input: 0.3, output: 0.9, outputLimit: 32 * k },
  'mistral-embed': { input: 0.1, output: 0, outputLimit: 0 },
}
