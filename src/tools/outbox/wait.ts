import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { defineTool } from '../define-tool.ts'
import { Park } from '../park.ts'
import type { ProposalState } from './proposals.ts'

/** After these nothing more happens. `unknown` is not among them: the operator still says what became of it. */
const closed: readonly ProposalState[] = ['refused', 'released', 'failed', 'denied', 'expired', 'undone']

const reference = z.union([z.uuid(), z.object({ id: z.uuid() })]).transform((value) => (typeof value === 'string' ? value : value.id))

export const outboxWait = defineTool({
  name: 'outbox.wait',
  summary: 'Wait until each proposal was released, denied or has expired; the run holds nothing meanwhile',
  effect: 'read',
  input: z.strictObject({ proposals: z.array(reference).max(500).describe('ids, or what outbox.propose returned as `proposed`') }),
  output: z.object({
    states: z.array(z.object({ id: z.uuid(), state: z.string() })),
    counts: z.record(z.string(), z.int()).describe('how many are in which state'),
  }),
  async run({ proposals: outbox }, { proposals }) {
    const known = await outbox.states(proposals)
    const states = proposals.map((id) => {
      const state = known.get(id)
      if (state === undefined) throw new Fault('missing', 'outbox.missing', `there is no proposal ${id} that this run may know of`, { id })
      return { id, state }
    })
    const open = states.filter(({ state }) => !closed.includes(state)).length
    if (open > 0) throw new Park(`${open} of ${states.length} proposals wait for a decision`)
    const counts: Record<string, number> = {}
    for (const { state } of states) counts[state] = (counts[state] ?? 0) + 1
    return { states, counts }
  },
})
