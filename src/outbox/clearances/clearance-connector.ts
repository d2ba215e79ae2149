import type { Database } from '../../kernel/database/connect.ts'
import { Fault } from '../../kernel/fault.ts'
import type { Connector, Receipt } from '../connectors/connector.ts'
import { isClearanceKind, readClearance } from './clearance-act.ts'

/** A name that castellan.yaml cannot give. */
export const clearanceConnector = 'castellan.acts'

/**
 * Carries an act into the table that the gates read. What it grants the database takes from the signed bytes by itself, once for a draft, and
 * only while that draft is being released.
 */
export function createClearanceConnector({ pool }: Pick<Database, 'pool'>, now: () => Date): Connector {
  async function receiptFor(draft: string): Promise<Receipt | undefined> {
    const { rows } = await pool.query<{ granted_at: Date }>('select granted_at from clearance where id = $1', [draft])
    return rows[0] && { granted_at: rows[0].granted_at.toISOString() }
  }

  return {
    name: clearanceConnector,
    kind: 'clearance',
    account: 'this house',
    zone: 'machine',
    from: 'operator',
    accepts: isClearanceKind,
    async deliver(wire, document, _signal, commit) {
      const act = readClearance(wire)
      if (act.act !== document.kind) throw new Fault('refused', 'connector.not_sent', 'the bytes are an act of another kind than the document says')
      if (act.expires_at !== null && Date.parse(act.expires_at) <= now().getTime()) throw new Fault('refused', 'connector.not_sent', `what it clears was over on ${act.expires_at}`)
      await commit()
      await pool.query('select clearance_grant($1)', [document.id]).catch((error: { code?: string; message?: string }) => {
        if (error.code === '42501' || error.code === 'CA409') throw new Fault('refused', 'connector.not_sent', `the database did not grant it: ${error.message}`, {}, error)
        throw error
      })
      return (await receiptFor(document.id))!
    },
    reconcile: (_wire, document) => receiptFor(document.id),
  }
}
