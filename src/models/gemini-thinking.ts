import type { Conversation } from './chat.ts'

type Effort = NonNullable<Conversation['reasoning']>

const budgets: Readonly<Record<Effort, number>> = { none: 0, minimal: 1_024, low: 1_024, medium: 8_192, high: 24_576 }
/** The largest of the older models cannot be told not to think. */
const leastOfPro = 128

/** Gemini 3 and what follows it; they want calls of tools with a signature, and an effort by its name. */
export function isThird(model: string): boolean {
  return /gemini-(?:[3-9]|\d\d)/.test(model)
}

/** An effort, as this model is told it; models that do not think are told none. */
export function thinkingConfig(model: string, effort: Conversation['reasoning']): object | undefined {
  if (effort === undefined) return undefined
  const shown = { includeThoughts: effort !== 'none' }
  if (isThird(model)) return { thinkingLevel: levelOf(model, effort), ...shown }
  if (!/gemini-2\.5/.test(model)) return undefined
  return { thinkingBudget: Math.max(budgets[effort], /-pro/.test(model) ? leastOfPro : 0), ...shown }
}

/** Only the faster models think as little as `MINIMAL`; the first of the large ones knew no `MEDIUM`. */
function levelOf(model: string, effort: Effort): 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH' {
  const isFast = /flash/.test(model)
  if (effort === 'none' || effort === 'minimal') return isFast ? 'MINIMAL' : 'LOW'
  if (effort === 'medium') return /gemini-3-pro/.test(model) ? 'HIGH' : 'MEDIUM'
  return effort === 'low' ? 'LOW' : 'HIGH'
}
