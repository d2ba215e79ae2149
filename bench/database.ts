import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Connection } from '../src/kernel/database/connect.ts'
import { startPostgres } from '../src/kernel/database/embedded.ts'
import { unprivilegedUser } from '../test/support/unprivileged-user.ts'

/** PostgreSQL with the settings of production (fsync on), in a folder that is removed afterwards. `empty` makes a database of its own in it. */
export async function benchDatabase(): Promise<{ empty(name: string): Promise<Connection>; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-bench-'))
  chmodSync(folder, 0o711)
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  const postgres = await startPostgres({ folder: join(folder, 'database'), socketFolder: join(folder, 's'), user })
  const owner = connect(postgres.connection, { max: 1, application: 'bench' })
  return {
    async empty(name) {
      await owner.pool.query(`create database ${name}`)
      return { ...postgres.connection, database: name }
    },
    async stop() {
      await owner.close()
      await postgres.stop('fast')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
