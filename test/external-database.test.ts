import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect } from '../src/kernel/database/connect.ts'
import { startPostgres } from '../src/kernel/database/embedded.ts'
import { databaseGrantsSql, roles, rolesSql, type Passwords } from '../src/kernel/database/roles.ts'
import { freePort } from './support/free-port.ts'
import { runningHouse } from './support/running-house.ts'
import { unprivilegedUser } from './support/unprivileged-user.ts'
import { githubHeaders, secrets } from './support/webhooks.ts'

const port = 5432
/** Where the port is not that of a PostgreSQL which somebody uses on this machine; all of 127.0.0.0/8 is loopback on Linux. */
const address = process.platform === 'linux' ? `127.7.${(process.pid >> 8) & 255}.${process.pid & 255}` : '127.0.0.1'
const passwords = Object.fromEntries(roles.map((role) => [role, `secret of ${role}`])) as Passwords

/** A PostgreSQL as an operator might run it, with the roles that `castellan database sql` prints. */
async function operatorsPostgres(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-own-'))
  chmodSync(folder, 0o755)
  const server = await startPostgres({ folder: join(folder, 'db'), socketFolder: join(folder, 's'), user: process.getuid?.() === 0 ? unprivilegedUser() : undefined, settings: { listen_addresses: address } })
  t.after(async () => {
    await server.stop('fast')
    rmSync(folder, { recursive: true, force: true })
  })
  const owner = connect(server.connection, { max: 1 })
  await owner.pool.query(rolesSql(passwords))
  await owner.pool.query(databaseGrantsSql(server.connection.database))
  await owner.close()
  return server.connection
}

for (const [way, urlTo] of [
  ['over TCP, which workers have not', (user: string, password: string) => `postgresql://${user}:${encodeURIComponent(password)}@${address}:${port}/castellan`],
  ['over its socket', (user: string, password: string, socket: string) => `postgresql://${user}:${encodeURIComponent(password)}@/castellan?host=${socket}`],
] as const) {
  test(`a house works on a PostgreSQL of the operator's own, ${way}`, { timeout: 240_000 }, async (t) => {
    const { host, user, password } = await operatorsPostgres(t)
    const names = { owner: user, ...Object.fromEntries(roles.map((role) => [role.replace('castellan_', ''), role])) }
    const webhooks = await freePort()
    const house = await runningHouse(t, {
      edit: (yaml) => `${yaml}\nports: { webhooks: ${webhooks} }\nwebhooks: { hub: { kind: github, secrets: [ { secret: hub } ] } }\ndatabase:\n  zone: machine\n  urls:\n${Object.keys(names).map((name) => `    ${name}: { secret: database_${name} }\n`).join('')}`,
      prepare: (home) => {
        mkdirSync(join(home, 'secrets'), { mode: 0o700 })
        writeFileSync(join(home, 'secrets', 'hub'), secrets.hub, { mode: 0o600 })
        for (const [name, role] of Object.entries(names)) {
          writeFileSync(join(home, 'secrets', `database_${name}`), urlTo(role, role === user ? password : passwords[role as keyof Passwords], host), { mode: 0o600 })
        }
      },
    })
    assert.deepEqual(new Set([...house.up.processes.values()].map(({ state }) => state.state)), new Set(['ready']))
    const { id } = await house.call<{ id: string }>('server', 'POST', '/api/jobs/morning-mail/run', {})
    const { state } = await house.call<{ state: string }>('server', 'GET', `/api/runs/${id}?wait=30`)
    assert.equal(state, 'succeeded')
    const delivered = await fetch(`http://127.0.0.1:${webhooks}/hooks/hub`, { method: 'POST', headers: githubHeaders('{}') as Record<string, string>, body: '{}' })
    assert.equal(delivered.status, 202)
  })
}
