import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Fault } from '../../kernel/fault.ts'
import type { DraftDocument } from '../document.ts'
import { sha256 } from '../document.ts'
import type { Connector, Trail } from './connector.ts'

export interface ConnectorUnderTest {
  readonly connector: Connector
  /** What is carried, when that is no mail; and what arrives of it, when that is not these bytes. */
  readonly act?: { readonly kind: string; readonly wire: Buffer; readonly arrives: Buffer }
  /** Every message that arrived outside, as bytes. */
  arrived(): Promise<Buffer[]>
}

const { signal } = new AbortController()

/** As much of a document as connectors look at. */
export function documentFor(wire: Buffer, id = '019514a0-0000-7000-8000-000000000001'): DraftDocument {
  return {
    version: 'castellan/1', id, nonce: 'ab'.repeat(32), kind: 'mail', connector: { name: 'file', kind: 'file' }, account: '', title: 'Termin', from: 'haus@example.org',
    recipients: { to: ['eva@example.org'], cc: [], bcc: [] }, wire: { sha256: sha256(wire), length: wire.length }, attachments: [], rollback: '', risk: 2, reasons: [],
    label: { level: 1, integrity: 'trusted', lanes: [] },
    origin: { proposal: id, job: 'j', run: id, step: 's', item: '11'.repeat(32) }, replaces: null, frozen_at: '2026-03-02T09:00:00.000Z', expires_at: '2026-03-02T10:00:00.000Z', not_before: null,
  }
}

/** Nothing else left for the same account since what `documentFor` says was frozen. */
export const alone: Trail = { since: new Date('2026-03-02T09:00:00.000Z'), receipts: [], open: [] }

/** What every connector must do, whatever it carries where. */
export function connectorContract(name: string, openOne: (t: TestContext) => Promise<ConnectorUnderTest>): void {
  const mail = Buffer.from('From: haus@example.org\r\nSubject: \xff\r\n\r\n.\r\n..\r\nFrom here\r\n', 'latin1')
  const commit = async () => {}
  const open = async (t: TestContext) => {
    const { act = { kind: 'mail', wire: mail, arrives: mail }, ...opened } = await openOne(t)
    return { ...act, ...opened }
  }

  test(`${name}: what arrives is what was signed, byte for byte, with a receipt`, async (t) => {
    const { connector, arrived, wire, arrives } = await open(t)
    const receipt = await connector.deliver(wire, documentFor(wire), signal, commit)
    assert.deepEqual(await arrived(), [arrives])
    assert(Object.keys(receipt).length > 0)
  })

  test(`${name}: it says what it accepts and where it leads`, async (t) => {
    const { connector, kind } = await open(t)
    assert.equal(connector.accepts(kind), true)
    assert.equal(connector.accepts('payment'), false)
    assert(connector.account.length > 0 && connector.kind.length > 0)
  })

  test(`${name}: given up before it began, nothing left, and it says so`, async (t) => {
    const { connector, arrived, wire } = await open(t)
    await assert.rejects(connector.deliver(wire, documentFor(wire), AbortSignal.abort(), commit), { code: 'connector.not_sent' })
    assert.deepEqual(await arrived(), [])
  })

  test(`${name}: the signature is spent once, before anything arrives`, async (t) => {
    const { connector, arrived, wire } = await open(t)
    const before: Buffer[][] = []
    await connector.deliver(wire, documentFor(wire), signal, async () => void before.push(await arrived()))
    assert.deepEqual(before, [[]])
  })

  test(`${name}: when the signature cannot be spent, nothing arrives, and the reason is passed on`, async (t) => {
    const { connector, arrived, wire, arrives } = await open(t)
    const reason = new Fault('conflict', 'releaser.replaced', 'another one runs')
    await assert.rejects(connector.deliver(wire, documentFor(wire), signal, () => Promise.reject(reason)), reason)
    assert.deepEqual(await arrived(), [])
    await connector.deliver(wire, documentFor(wire), signal, commit)
    assert.deepEqual(await arrived(), [arrives])
  })

  test(`${name}: after a crash it finds what left, and finds nothing where nothing left`, async (t) => {
    const { connector, wire } = await open(t)
    if (!connector.reconcile) return
    assert.equal(await connector.reconcile(wire, documentFor(wire), alone), undefined)
    await connector.deliver(wire, documentFor(wire), signal, commit)
    assert(await connector.reconcile(wire, documentFor(wire), alone))
    const other = Buffer.from('other')
    assert.equal(await connector.reconcile(other, documentFor(other), alone), undefined)
  })
}
