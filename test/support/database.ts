import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Connection, type Database } from '../../src/kernel/database/connect.ts'
import type { Passwords, Role } from '../../src/kernel/database/roles.ts'
import { fastFolder } from './fast-folder.ts'

export interface TestDatabase {
  readonly name: string
  /** The superuser's pool. */
  readonly owner: Database
  /** A pool of this role; one for each role, closed with the database. */
  as(role: Role): Database
  connection(role: Role | 'castellan_owner'): Connection
}

interface Server {
  readonly connection: Connection
  readonly passwords: Passwords
  readonly template: string
}

let server: Promise<Server> | undefined

/** With fsync off, copying the files is faster than logging every page of them. */
const strategy = 'file_copy'

/** A database of its own, cloned from a migrated template on one embedded PostgreSQL that the whole test run shares. Dropped after the test, or the test file. */
export async function testDatabase(t?: Pick<TestContext, 'after'>): Promise<TestDatabase> {
  const { connection, passwords, template } = await (server ??= joinServer())
  const root = connect(connection, { max: 1, application: 'test support' })
  const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`
  await root.pool.query(`create database ${name} template ${template} strategy ${strategy}`)
  await root.pool.query(`revoke all on database ${name} from public; grant connect on database ${name} to ${Object.keys(passwords).join(', ')}`)
  const pools = new Map<string, Database>()
  const connectionOf = (role: Role | 'castellan_owner'): Connection =>
    role === 'castellan_owner' ? { ...connection, database: name } : { ...connection, database: name, user: role, password: passwords[role] }
  const poolOf = (role: Role | 'castellan_owner') => {
    const pool = pools.get(role) ?? connect(connectionOf(role), { application: 'test' })
    pools.set(role, pool)
    return pool
  }
  const release = async () => {
    await Promise.all([...pools.values()].map((pool) => pool.close()))
    await root.pool.query(`drop database if exists ${name} with (force)`)
    await root.close()
  }
  t ? t.after(release) : after(release)
  return { name, owner: poolOf('castellan_owner'), as: poolOf, connection: connectionOf }
}

/** The server of this test run: the first process that asks starts it, in a process that outlives the test file and ends with the runner. */
async function joinServer(): Promise<Server> {
  const runner = process.env['NODE_TEST_CONTEXT'] === undefined ? process.pid : process.ppid
  const parent = join(fastFolder(), `castellan-test-${userInfo().uid}`)
  const folder = join(parent, String(runner))
  mkdirSync(parent, { recursive: true })
  if (claim(folder)) {
    const keeper = spawn(process.execPath, [join(import.meta.dirname, 'database-keeper.ts'), folder, String(runner)], { detached: true, stdio: 'ignore' })
    keeper.unref()
  }
  const ready = join(folder, 'ready.json')
  for (const deadline = performance.now() + 60_000; !existsSync(ready); await delay(10)) {
    if (performance.now() > deadline) throw new Error(`the PostgreSQL of the test run did not come up; see ${folder}/database/postgres.log`)
  }
  const answer = JSON.parse(readFileSync(ready, 'utf8')) as Server & { failure?: string }
  if (answer.failure !== undefined) throw new Error(`the PostgreSQL of the test run did not start:\n${answer.failure}`)
  return answer
}

/** Making the folder is the lock: exactly one process succeeds. PostgreSQL runs as another user and must pass through. */
function claim(folder: string): boolean {
  try {
    mkdirSync(folder)
    chmodSync(folder, 0o711)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
