import type { Database } from '../kernel/database/connect.ts'

/**
 * Resolves once everything that was committed before is on the disk. Claims are committed lazily; before a step does
 * something that cannot be taken back, the ledger must say for good that it was begun.
 */
export async function flushLedger(database: Database): Promise<void> {
  await database.pool.query({ name: 'flush', text: 'select ledger_flush()' })
}
