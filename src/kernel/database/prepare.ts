import type { Database } from './connect.ts'
import { migrate, type MigrateOptions } from './migrate.ts'
import { installQueues } from './queue-schema.ts'
import { ensureRoles, type Passwords } from './roles.ts'

/** All that `up` does to a database before the other processes may come: roles, schema, queues, in this order. As the owner. @throws Fault */
export async function prepareDatabase(owner: Database, passwords: Passwords, options: MigrateOptions = {}): Promise<{ from: number; to: number }> {
  await ensureRoles(owner, passwords)
  const change = await migrate(owner, options)
  await installQueues(owner)
  return change
}
