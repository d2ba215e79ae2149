import assert from 'node:assert/strict'
import type { Fault } from '../../src/kernel/fault.ts'
import type { Connector } from '../../src/outbox/connectors/connector.ts'
import { documentFor } from '../../src/outbox/connectors/connector.contract.ts'
import type { Frame } from '../../src/outbox/compose/composed.ts'

export const actFrame = (connector: Pick<Connector, 'from'>): Frame => ({
  id: '019514a0-0000-7000-8000-000000000001', nonce: 'ab'.repeat(32), at: new Date('2026-03-02T09:00:00.000Z'), from: connector.from,
})

/** The bytes that a connector composes for a proposal. */
export async function composedBy(connector: Connector, kind: string, payload: unknown): Promise<Buffer> {
  return (await connector.compose!(kind, payload, actFrame(connector))).wire
}

/** What a delivery fails with, and how often the signature was spent by then. */
export async function failedDelivery(connector: Connector, wire: Buffer, { commit = async () => {}, document = documentFor(wire) } = {}) {
  let spent = 0
  const delivered = connector.deliver(wire, document, AbortSignal.timeout(30_000), async () => {
    spent += 1
    await commit()
  })
  const fault = await delivered.then((receipt) => assert.fail(`it was delivered: ${JSON.stringify(receipt)}`), (error: Fault) => error)
  return { code: fault.code, message: fault.message, brief: String(fault.details['brief'] ?? fault.message), retryAfterMs: fault.details['retryAfterMs'], spent }
}
