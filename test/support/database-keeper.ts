/**
 * Holds the PostgreSQL of one test run: `database-keeper.ts FOLDER PID`. It starts the server, makes the migrated template,
 * writes FOLDER/ready.json, and ends when the process PID, the test runner, is gone.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { connect } from '../../src/kernel/database/connect.ts'
import { startPostgres } from '../../src/kernel/database/embedded.ts'
import { prepareDatabase } from '../../src/kernel/database/prepare.ts'
import { roles, type Passwords } from '../../src/kernel/database/roles.ts'
import { unprivilegedUser } from './unprivileged-user.ts'

const folder = process.argv[2]!
const runner = Number(process.argv[3])
const template = 'castellan_template'

removeAbandoned(dirname(folder), folder)
mkdirSync(join(folder, 'log'), { recursive: true })

const passwords = Object.fromEntries(roles.map((role) => [role, randomUUID()])) as Record<(typeof roles)[number], string> satisfies Passwords
const user = userInfo().uid === 0 ? unprivilegedUser() : undefined

try {
  const server = await startPostgres({
    folder: join(folder, 'database'),
    socketFolder: join(folder, 's'),
    user,
    unsafeInit: true,
    settings: { dynamic_shared_memory_type: 'mmap', fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', wal_level: 'minimal', max_wal_senders: '0', autovacuum: 'off', max_connections: '200', shared_buffers: '64MB' },
  })
  const owner = connect(server.connection)
  await prepareDatabase(owner, passwords)
  // as the releaser leaves it
  await owner.pool.query('select outbox_compared()')
  await owner.close()
  const root = connect({ ...server.connection, database: 'postgres' })
  await root.pool.query(`alter database ${server.connection.database} rename to ${template}`)
  await root.pool.query(`alter database ${template} with allow_connections false`)
  await root.close()
  announce({ connection: { ...server.connection, database: 'postgres' }, passwords, template })
  const watch = setInterval(() => {
    if (isAlive(runner)) return
    clearInterval(watch)
    void server.stop('immediate').then(() => rmSync(folder, { recursive: true, force: true }))
  }, 200)
  void server.exited.then(() => clearInterval(watch))
} catch (error) {
  announce({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) })
}

function announce(message: object): void {
  writeFileSync(join(folder, 'ready.tmp'), JSON.stringify(message), { mode: 0o600 })
  renameSync(join(folder, 'ready.tmp'), join(folder, 'ready.json'))
}

/** Runs whose runner is gone, and whose keeper was killed before it could clear up. */
function removeAbandoned(parent: string, ours: string): void {
  for (const name of readdirSync(parent)) {
    const other = join(parent, name)
    if (other !== ours && !isAlive(Number(name))) rmSync(other, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
