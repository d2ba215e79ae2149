import type { Family } from './attack.ts'
import type { Field } from './field.ts'
import { proposals } from './proposals.ts'

/** What is taken over, one after the other; those that leave the house as it was come first. */
export const families = (field: Field): readonly Family[] => [proposals(field)]
