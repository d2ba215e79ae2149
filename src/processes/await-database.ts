import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Connection } from '../kernel/database/connect.ts'
import { checkSchema } from '../kernel/database/migrate.ts'
import { toFault } from '../kernel/fault.ts'

const pauseMs = 100

/**
 * Resolves once the database answers this role. A process that starts while the database is being restarted waits instead of dying.
 * @throws Fault `database.refused`, and `database.newer` or `database.not_migrated` for a schema that this program cannot work with
 */
export async function awaitDatabase(connection: Connection): Promise<void> {
  const database = connect(connection, { max: 1, application: 'starting' })
  try {
    for (;;) {
      try {
        await database.pool.query('select 1')
        break
      } catch (error) {
        const { kind, message } = toFault(error)
        // refused: a wrong password, or a database that is not ours; waiting would not help
        if (kind === 'refused') throw error
        process.stderr.write(`${JSON.stringify({ level: 'warn', time: new Date().toISOString(), msg: 'waiting for the database', reason: message })}\n`)
        await delay(pauseMs)
      }
    }
    await checkSchema(database)
  } finally {
    await database.close()
  }
}
