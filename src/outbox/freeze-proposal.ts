import { Fault, toFault } from '../kernel/fault.ts'
import { change, type OutboxDeps } from './change.ts'
import { itemOf } from './document.ts'
import { closeProposal, insertDraft, lockProposal, newProposals } from './draft-store.ts'
import { approveByOrder } from './orders/approve-by-order.ts'
import { frozenDetail, prepareDraft } from './prepare-draft.ts'

const batch = 50

/** Freezes what workers proposed. A proposal that cannot be frozen is refused with its reason; one that the database did not take is tried again. */
export async function freezeProposals(deps: OutboxDeps): Promise<{ frozen: number; refused: number; more: boolean }> {
  const ids = await newProposals(deps.database.pool, batch)
  const count = { frozen: 0, refused: 0, more: ids.length === batch }
  for (const id of ids) {
    const outcome = await freezeProposal(deps, id)
    if (outcome !== 'gone') count[outcome] += 1
  }
  return count
}

/** Makes of one proposal a draft that can be signed. */
export async function freezeProposal(deps: OutboxDeps, id: string): Promise<'frozen' | 'refused' | 'gone'> {
  try {
    return await change(deps, 'draft.freeze', async (transaction) => {
      const { client, now, audit } = transaction
      const proposal = await lockProposal(client, id)
      if (!proposal) return 'gone'
      const before = deps.spent.released(itemOf(proposal))
      if (before) {
        throw new Fault('refused', 'draft.released_before', `this was released on ${before.at} already, as draft ${before.draft}: the database was restored from before that`)
      }
      const draft = await prepareDraft(deps, client, { ...proposal, replaces: null }, now)
      await insertDraft(client, draft)
      await closeProposal(client, id, 'frozen')
      await audit('draft.frozen', draft.id, frozenDetail(draft))
      await approveByOrder(deps, transaction, draft.id)
      return 'frozen'
    })
  } catch (error) {
    if (mayPass(error)) throw error
    return refuse(deps, id, toFault(error))
  }
}

async function refuse(deps: OutboxDeps, id: string, fault: Fault): Promise<'refused' | 'gone'> {
  if (fault.kind === 'internal') deps.log.error({ err: fault, proposal: id }, 'a proposal could not be frozen')
  let connector: string | undefined
  const outcome = await change(deps, 'draft.refuse', async ({ client, audit, wake }) => {
    const proposal = await lockProposal(client, id)
    if (!proposal) return 'gone'
    connector = proposal.connector
    await closeProposal(client, id, 'refused', fault.message)
    await audit('draft.refused', id, { code: fault.code })
    await wake(id)
    return 'refused'
  })
  if (outcome === 'refused') deps.onRefused?.(fault, connector, 'freeze')
  return outcome
}

/** An error that is the moment's and not the proposal's: of the connection, or of a database that stops, is full, or met a deadlock. */
function mayPass(error: unknown): boolean {
  if (error instanceof Fault) return error.kind === 'unavailable' || error.kind === 'timeout'
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return !/^(22|23|42|CA)/.test(code)
  return error instanceof Error && (typeof code === 'string' || /connection|terminated/i.test(error.message))
}
