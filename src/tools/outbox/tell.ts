import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { defineTool } from '../define-tool.ts'
import { proposedSchema } from './propose.ts'

/** What a job says to the operator: a proposal as any, which a standing order may let leave by itself. Who does not want to be told says so by naming no way. */
export const outboxTell = defineTool({
  name: 'outbox.tell',
  summary: 'Propose a message to the operator himself, by the way that castellan.yaml names; where it names none, nothing is proposed',
  effect: 'propose',
  input: z.strictObject({
    key: z.string().min(1).max(200).describe('names the message in this step; a repeated step finds its first proposal'),
    text: z.string().min(1).max(4_096),
  }),
  output: proposedSchema.extend({ by: z.string().nullable().describe('the connector; null: there is none') }),
  async run({ proposals, run, signal }, { key, text }) {
    const by = proposals.toOperator
    // the way was taken out after the run began: the run waits as a dead letter, and nothing counts as told that was not
    if (by === null && run.toldAlerts) throw new Fault('unavailable', 'outbox.tell', 'castellan.yaml names no way to you any more (outbox.tell); name one, then `castellan dead redrive`')
    if (by === null) return { by, proposed: [] }
    signal.throwIfAborted()
    return { by, proposed: [await proposals.open({ key, kind: 'telegram.message', connector: by, payload: { text } })] }
  },
})
