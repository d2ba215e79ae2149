import { pino } from 'pino'
import { createImapMailbox } from '../../src/channels/mail/imap-mailbox.ts'
import { mirrorLimits, type MirrorLimits } from '../../src/channels/mail/imap-limits.ts'
import type { ImapAccount } from '../../src/house/index.ts'
import { createEntrance } from '../../src/imap/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { connect, type Connection } from '../../src/kernel/database/connect.ts'
import { armFaultPoints } from '../../src/kernel/fault-point.ts'

/** The mirror of an inbox in a process of its own, that may be killed anywhere. */
export interface MirrorTask {
  readonly connection: Connection
  readonly account: ImapAccount
  readonly password: string
  readonly limits?: Partial<MirrorLimits>
  readonly faultPoints?: string
}

/** What it says when it is done; memory in bytes, milliseconds for the scan alone. */
export interface MirrorReport {
  readonly stored: number
  readonly problems: readonly unknown[]
  readonly milliseconds: number
  readonly memoryBefore: number
  readonly memoryHighest: number
}

const task = JSON.parse(process.argv[2]!) as MirrorTask
const database = connect(task.connection, { max: 2 })
await database.pool.query('select 1')
const mailbox = createImapMailbox(
  { database, clock: systemClock, log: pino({ level: 'silent' }), onNews: () => {}, limits: { ...mirrorLimits, ...task.limits } },
  createEntrance(systemClock, task.account, task.password), 'INBOX',
)
armFaultPoints(task.faultPoints)
const memoryBefore = process.memoryUsage.rss()
let memoryHighest = memoryBefore
const look = setInterval(() => {
  memoryHighest = Math.max(memoryHighest, process.memoryUsage.rss())
}, 20)
const begun = performance.now()
const stored = await mailbox.scan()
const milliseconds = performance.now() - begun
clearInterval(look)
const report: MirrorReport = { stored, problems: mailbox.problems(), milliseconds, memoryBefore, memoryHighest }
await mailbox.close()
await database.close()
process.stdout.write(JSON.stringify(report))
