import { z } from 'zod'
import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import type { OutboxDeps } from '../change.ts'
import type { Composed, Frame } from '../compose/composed.ts'
import { oneLine } from '../acts/cut-text.ts'
import { actOf, composeOutbound, readPayload } from '../compose/outbound.ts'
import type { Connector, Receipt } from '../connectors/connector.ts'
import { listDrafts } from '../draft-queries.ts'
import type { Queryable } from '../draft-store.ts'
import { readLeniently } from '../draft-summary.ts'
import { proposeByOperator } from '../operator-proposal.ts'
import { readActsInForce } from './acts-in-force.ts'
import { findFence } from './fence.ts'

/** A name that castellan.yaml cannot give. */
export const outboxConnector = 'castellan.outbox'
const account = 'this house'
const listed = 200
const payloadSchema = z.strictObject({ fence: z.uuid() })

/** Makes a draft of the word that the outbox goes on; what it lifts, what leaves then and what counts again stands in its bytes. @throws Fault `outbox.open` */
export async function proposeResume(deps: OutboxDeps): Promise<{ draft: string; risk: number }> {
  const fence = await findFence(deps.database.pool)
  if (!fence) throw new Fault('conflict', 'outbox.open', 'the outbox is not fenced: what is signed leaves')
  return proposeByOperator(deps, 'outbox.resume', outboxConnector, { fence: fence.id })
}

async function composeResume(query: Queryable, now: Date, payload: unknown, frame: Frame): Promise<Composed> {
  const { fence: id } = readPayload(payloadSchema, payload, 'word')
  const fence = await findFence(query)
  if (fence?.id !== id) throw new Fault('conflict', 'outbox.open', 'that fence does not stand any more')
  const most = 1_000_000
  const held = (await listDrafts(query, { states: ['held', 'releasing'], limit: most })).filter(({ kind }) => kind !== 'outbox.resume').sort((a, b) => (a.holdUntil?.getTime() ?? 0) - (b.holdUntil?.getTime() ?? 0))
  const unknown = (await listDrafts(query, { states: ['unknown'], limit: most })).length
  const leaves = held.slice(0, listed).map((draft) => ({ draft: draft.id, title: oneLine(readLeniently(draft).document?.title ?? '', 300), at: draft.notBefore?.toISOString() ?? null }))
  return composeOutbound({ kind: 'outbox.resume', fence: id, fenced_at: fence.at.toISOString(), why: fence.why, leaves, more: held.length - leaves.length, unknown, again: await readActsInForce(query, now) }, frame, {
    title: `Let ${held.length} signed draft${held.length === 1 ? '' : 's'} leave again`, to: [],
    undo: 'Afterwards nothing holds them up together; each can be taken back until it leaves.',
  })
}

/** Lifts the fence that was signed for. Which one that is the database reads in the signed bytes by itself. */
export function createOutboxConnector({ pool }: Pick<Database, 'pool'>, now: () => Date): Connector {
  return {
    name: outboxConnector,
    kind: 'outbox',
    account,
    zone: 'machine',
    from: account,
    accepts: (kind) => kind === 'outbox.resume',
    compose: (_kind, payload, frame) => composeResume(pool, now(), payload, frame),
    async deliver(wire, document, _signal, commit): Promise<Receipt> {
      const act = actOf(wire, ['outbox.resume'], account)
      await commit()
      await pool.query('select outbox_resume($1)', [document.id]).catch((error: { code?: string; message?: string }) => {
        if (error.code === '42501' || error.code === 'CA409') throw new Fault('refused', 'connector.not_sent', `the outbox stays fenced: ${error.message}`, {}, error)
        throw error
      })
      return { fence: act.fence, resumed: true }
    },
  }
}
