import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { connect, type Database } from '../../src/kernel/database/connect.ts'
import { readUpState } from '../../src/processes/up-state.ts'

/** The database of a running home, as its owner: what nobody in Castellan but `up` can do. */
export async function homeDatabase(t: Pick<TestContext, 'after'>, home: string): Promise<Database> {
  const password = readFileSync(join(home, 'database', 'owner.password'), 'utf8').trim()
  const host = join(readUpState(home)!.sockets.server, '..', '..', 'database')
  const database = connect({ host, port: 5432, database: 'castellan', user: 'castellan_owner', password }, { max: 2, application: 'test' })
  t.after(() => database.close())
  return database
}
