import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { alone, connectorContract, documentFor } from './connector.contract.ts'
import { createConnectors } from './connectors.ts'
import { createFileConnector } from './file.ts'

const from = 'haus@example.org'
const { signal } = new AbortController()
const wire = Buffer.from('Subject: x\r\n\r\ny\r\n')
const document = documentFor(wire)
const commit = async () => {}

connectorContract('file', async (t) => {
  const path = join(temporaryFolder(t), 'outgoing')
  return {
    connector: createFileConnector({ name: 'file', path, from }),
    arrived: async () => (existsSync(path) ? readdirSync(path).map((name) => readFileSync(join(path, name))) : []),
  }
})

test('bytes that are no text are put down as they are', async (t) => {
  const path = temporaryFolder(t)
  const odd = Buffer.from('x\r\n\r\n\xff\n\r\0', 'latin1')
  await createFileConnector({ name: 'file', path, from }).deliver(odd, documentFor(odd), signal, commit)
  assert.deepEqual(readFileSync(join(path, `${document.id}.eml`)), odd)
})

test('the same bytes in place already are a delivery, other bytes are not touched', async (t) => {
  const path = temporaryFolder(t)
  const connector = createFileConnector({ name: 'file', path, from })
  const first = await connector.deliver(wire, document, signal, commit)
  assert.deepEqual(await connector.deliver(wire, document, signal, commit), first)
  await assert.rejects(connector.deliver(Buffer.from('else'), document, signal, commit), { code: 'connector.not_sent', message: /other bytes/ })
  assert.deepEqual(readdirSync(path), [`${document.id}.eml`])
  assert.deepEqual(readFileSync(join(path, `${document.id}.eml`)), wire)
  assert.equal(statSync(join(path, `${document.id}.eml`)).mode & 0o777, 0o600)
})

test('a link, a folder or a pipe in the place of the file is not followed and not overwritten', async (t) => {
  const outside = join(temporaryFolder(t), 'outside')
  writeFileSync(outside, wire)
  const traps: ((place: string) => void)[] = [(place) => symlinkSync(outside, place), (place) => mkdirSync(place), (place) => execFileSync('mkfifo', [place])]
  for (const trap of traps) {
    const path = temporaryFolder(t)
    trap(join(path, `${document.id}.eml`))
    const connector = createFileConnector({ name: 'file', path, from })
    await assert.rejects(connector.deliver(wire, document, signal, commit), { code: 'connector.not_sent' })
    assert.equal(await connector.reconcile!(wire, document, alone), undefined)
  }
  assert.deepEqual(readFileSync(outside), wire)
})

test('on a full disk nothing becomes visible, and the connector is sure of it', async (t) => {
  const disk = join(temporaryFolder(t), 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'castellan-test', disk], { stdio: 'pipe' })
  } catch {
    return t.skip('a small disk can only be mounted as root')
  }
  try {
    const connector = createFileConnector({ name: 'file', path: disk, from })
    const large = Buffer.alloc(200_000, 'x')
    await assert.rejects(connector.deliver(large, documentFor(large), signal, commit), { code: 'connector.not_sent', message: /ENOSPC/ })
    assert.deepEqual(readdirSync(disk), [])
    assert(await connector.deliver(wire, document, signal, commit))
  } finally {
    execFileSync('umount', [disk])
  }
})

test('a folder that cannot be written into is a clean failure', async (t) => {
  const path = join(temporaryFolder(t), 'a-file')
  writeFileSync(path, '')
  await assert.rejects(createFileConnector({ name: 'file', path, from }).deliver(wire, document, signal, commit), { code: 'connector.not_sent' })
})

test('under one shared user everything but files is refused, unless the operator accepts it', () => {
  const file = createFileConnector({ name: 'file', path: '/x', from })
  const smtp = { ...file, name: 'smtp', kind: 'smtp' }
  const refusals = (demonstration: boolean, accepted: boolean) => {
    const connectors = createConnectors([file, smtp], { demonstration, accepted })
    return [file, smtp].map((connector) => connectors.refusal(connector) !== undefined)
  }
  assert.deepEqual(refusals(true, false), [false, true])
  assert.deepEqual(refusals(true, true), [false, false])
  assert.deepEqual(refusals(false, false), [false, false])
})
