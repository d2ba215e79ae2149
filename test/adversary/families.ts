import { approvals, restarts } from './approvals.ts'
import type { Family } from './attack.ts'
import { clocks } from './clocks.ts'
import { doors } from './doors.ts'
import type { Field } from './field.ts'
import { gates } from './gates.ts'
import { injections, toolCalls } from './injected.ts'
import { laundering } from './laundering.ts'
import type { Cleanup } from './outside.ts'
import { processes } from './processes.ts'
import { roles } from './roles.ts'
import { proposals, questions } from './proposals.ts'

/** What is taken over, one after the other; those that leave the house as it was come first. */
export const families = (field: Field, t: Cleanup): readonly Family[] => [injections(field), toolCalls(field), proposals(field), questions(field), gates(field), laundering(field), approvals(field), clocks(t), doors(field), restarts(field), processes(field, t), roles(field)]
