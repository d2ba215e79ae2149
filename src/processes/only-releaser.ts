import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'

/** Of PostgreSQL's advisory locks this one is the releaser's: 'cast' in ASCII, and a 1. */
const lock = [0x63617374, 1] as const
const patienceMs = 2_000

/**
 * One releaser for each database, whatever folder it works in. The lock lives as long as its connection; when that breaks,
 * another may begin, so `onLost` must end this one.
 * @throws Fault `releaser.running`
 */
export async function becomeOnlyReleaser(database: Database, onLost: (error: Error) => void): Promise<() => void> {
  const client = await database.pool.connect()
  const deadline = performance.now() + patienceMs
  for (;;) {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [...lock])
    if (rows[0]!.got) break
    if (performance.now() > deadline) {
      client.release()
      throw new Fault('conflict', 'releaser.running', 'another releaser works on this database; stop it first')
    }
    await delay(100) // the connection of one that was killed ends in a moment
  }
  const lost = (error: Error) => onLost(error)
  client.on('error', lost)
  client.on('end', () => lost(new Error('the connection that held the lock of the releaser ended')))
  return () => {
    client.removeAllListeners('end')
    client.release(true)
  }
}
