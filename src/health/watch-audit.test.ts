import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { testDatabase } from '../../test/support/database.ts'
import { sealAudit, verifyAuditSince } from '../kernel/audit/index.ts'
import { createManualClock } from '../kernel/clock.ts'
import { listAlerts } from './alert-store.ts'
import { createReporter } from './reporter.ts'
import { createAuditWatch } from './watch-audit.ts'

test('a batch that was altered after it was verified is a critical alert within a day, and over when it is mended', async (t) => {
  const db = await testDatabase(t)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const releaser = db.as('castellan_releaser')
  const clock = createManualClock(new Date('2026-03-02T09:00:00Z'))
  const reporter = createReporter({ database: releaser, clock, log: pino({ level: 'silent' }) })
  const looks: boolean[] = []
  const watch = createAuditWatch({
    clock, reporter,
    verify: (since) => (looks.push(since === undefined), verifyAuditSince({ database: releaser, keys: new Map([['k', publicKey]]) }, since)),
  })
  const seal = async () => {
    await db.as('castellan_server').pool.query(`select audit_append('operator.request', 'x', '{}')`)
    for (;;) {
      const { outcome } = await sealAudit({ database: releaser, sign: (head) => sign(null, head, privateKey), keyId: 'k' })
      if (outcome === 'sealed') return
      await turn() // transactions of other test files hold events back
    }
  }
  const look = async () => {
    assert.equal(await watch(), 60_000)
    await reporter.flush()
    return (await listAlerts(db.as('castellan_server'), 'all', 10)).map(({ kind, level, state, code }) => [kind, level, state, code])
  }
  await seal()
  assert.deepEqual(await look(), [])
  await seal()
  assert.deepEqual(await look(), [])
  await db.owner.pool.query(`update audit_event set subject = 'y' where xid = (select min(xid) from audit_event)`)
  clock.advance(3_600_000)
  assert.deepEqual(await look(), [], 'only what is new is looked at')
  clock.advance(23 * 3_600_000)
  assert.deepEqual(await look(), [['audit.broken', 'critical', 'open', 'batch.1']])
  clock.advance(60_000)
  assert.deepEqual(await look(), [['audit.broken', 'critical', 'open', 'batch.1']])
  await db.owner.pool.query(`update audit_event set subject = 'x' where xid = (select min(xid) from audit_event)`)
  assert.deepEqual((await look()).map(([, , state]) => state), ['closed'])
  assert.deepEqual(looks, [true, false, false, true, false, false])
})
