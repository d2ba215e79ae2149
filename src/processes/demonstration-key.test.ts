import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createIdentity, listIdentities } from '../outbox/operator-identity.ts'
import { ensureDemonstrationKey } from './demonstration-key.ts'

/** A releaser that only takes enrolments, and answers as it is told. */
async function desk(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'castellan-key-'))
  const socket = join(home, 'socket')
  const enrolled: string[] = []
  let server: Server | undefined
  const down = () => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
  t.after(async () => {
    await down()
    rmSync(home, { recursive: true })
  })
  return {
    home, socket, enrolled,
    up: (statuses: number[] = []) => new Promise<void>((resolve) => {
      server = createServer(async (request, response) => {
        let body = ''
        for await (const part of request) body += part
        const status = statuses.shift() ?? 200
        if (status < 300) enrolled.push((JSON.parse(body) as { name: string }).name)
        response.writeHead(status).end('{}')
      }).listen(socket, resolve)
    }),
  }
}

test('a first start makes a key and enrols it, also when the releaser is just coming back', async (t) => {
  const { home, socket, enrolled, up } = await desk(t)
  const making = ensureDemonstrationKey(home, socket)
  await up([503])
  assert.equal(await making, true)
  assert.deepEqual([enrolled, (await listIdentities(join(home, 'operator'))).map(({ scope }) => scope)], [['demonstration'], ['demonstration']])
})

test('a start that ended between making and enrolling is made good by the next one', async (t) => {
  const { home, socket, enrolled, up } = await desk(t)
  await createIdentity(join(home, 'operator'), { name: 'demonstration', scope: 'demonstration' })
  await up()
  assert.equal(await ensureDemonstrationKey(home, socket), false)
  assert.deepEqual(enrolled, ['demonstration'])
})

test('a revoked key stays revoked, and with a key of his own the operator gets none', async (t) => {
  const { home, socket, enrolled, up } = await desk(t)
  await up([409])
  assert.equal(await ensureDemonstrationKey(home, socket), true)
  await createIdentity(join(home, 'operator'), { name: 'mine', scope: 'operator', passphrase: 'correct horse' })
  assert.equal(await ensureDemonstrationKey(home, socket), false)
  assert.deepEqual(enrolled, [])
})
