import { createHmac } from 'node:crypto'
import { connect, type Connection, type Database } from '../src/kernel/database/connect.ts'
import { prepareDatabase } from '../src/kernel/database/prepare.ts'
import { roles, type Passwords, type Role } from '../src/kernel/database/roles.ts'

/** Brings an empty database to our schema. Roles belong to the whole server, so every side gives them the same passwords. */
export async function castellanDatabase(database: Connection): Promise<{ owner: Database; connectionOf(role: Role): Connection; as(role: Role, max: number): Database }> {
  const passwords = Object.fromEntries(roles.map((role) => [role, createHmac('sha256', database.password).update(role).digest('hex')])) as Passwords
  const owner = connect(database, { max: 4 })
  await prepareDatabase(owner, passwords)
  const connectionOf = (role: Role) => ({ ...database, user: role, password: passwords[role] })
  return { owner, connectionOf, as: (role, max) => connect(connectionOf(role), { max }) }
}
