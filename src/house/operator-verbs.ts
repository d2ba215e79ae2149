import type { explainKey as ExplainKey, Explanation } from './explain-key.ts'
import type { initHouse as InitHouse } from './init-house.ts'
import type { loadHouse as LoadHouse } from './load-house.ts'

// What reads and checks the folder is loaded when it is asked for: the processes that only use a house need none of it.

/** Reads and checks the operator's folder as a whole: a house, or every problem at once. */
export const loadHouse: typeof LoadHouse = async (...given) => (await import('./load-house.ts')).loadHouse(...given)

/** The value of a setting, where it comes from, and what it means. */
export const explainKey = async (...given: Parameters<typeof ExplainKey>): Promise<Explanation> => (await import('./explain-key.ts')).explainKey(...given)

/** Copies the starter house into an empty folder. */
export const initHouse: typeof InitHouse = async (...given) => (await import('./init-house.ts')).initHouse(...given)
