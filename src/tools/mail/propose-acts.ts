import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { proposedSchema } from '../outbox/propose.ts'
import type { Proposals } from '../outbox/proposals.ts'

const connector = z.string().min(1).describe('a connector of castellan.yaml, of kind imap')
/** Messages as `mail.list` gives them; of each only the id counts. */
const messages = z.array(z.looseObject({ id: z.uuid() })).max(200).describe('messages of mail.list or mail.search')
const flagName = z.string().min(1).max(50).describe('seen, flagged, answered, or a keyword of your own')

/** One ability of the outbox for each message: each waits for a signature of its own. */
async function propose(outbox: Proposals, signal: AbortSignal, given: { connector: string; kind: string; messages: readonly { id: string }[]; act: object }) {
  const proposed = []
  for (const id of new Set(given.messages.map((message) => message.id))) {
    signal.throwIfAborted()
    proposed.push(await outbox.open({ key: id, kind: given.kind, connector: given.connector, payload: { message: id, ...given.act } }))
  }
  return { proposed }
}

export const mailMove = defineTool({
  name: 'mail.move',
  summary: 'Propose to move messages into another folder of their mailbox; each waits for the signature of the operator',
  effect: 'propose',
  input: z.strictObject({ connector, messages, to: z.string().min(1).max(300).describe('the folder, as the server writes it') }),
  output: proposedSchema,
  run: async ({ proposals, signal }, { to, ...given }) => propose(proposals, signal, { ...given, kind: 'mail.move', act: { to } }),
})

export const mailFlag = defineTool({
  name: 'mail.flag',
  summary: 'Propose to set flags on messages, or to take them away; each waits for the signature of the operator',
  effect: 'propose',
  input: z.strictObject({ connector, messages, add: z.array(flagName).max(20).default([]), remove: z.array(flagName).max(20).default([]) }),
  output: proposedSchema,
  run: async ({ proposals, signal }, { add, remove, ...given }) => propose(proposals, signal, { ...given, kind: 'mail.flag', act: { add, remove } }),
})
