import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startDovecot, withoutDovecot, type TestDovecot, type TestMailUser } from '../test/support/dovecot.ts'
import type { MirrorReport, MirrorTask } from '../test/support/mirror-child.ts'
import { castellanDatabase } from './castellan-database.ts'
import { benchDatabase } from './database.ts'
import { middle, type Figure } from './figure.ts'
import { measureRelease } from './mail-release.ts'

const mebibyte = 2 ** 20
const many = 10_000
const mailboxBytes = 200 * mebibyte

/** How fast a mailbox is mirrored from a Dovecot on this machine, and what that takes in memory. Each in a process of its own, on an empty database. */
export async function measureMail(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  if (withoutDovecot) throw new Error(withoutDovecot)
  const database = await benchDatabase()
  const dovecot = await startDovecot({ after: () => {} })
  const seconds: number[] = []
  const growth: number[] = []
  const out: Figure[] = []
  try {
    out.push(...(await measureRelease(await database.empty('release'))))
    onProgress(`released: ${out[0]!.value.toFixed(1)} ms, and ${out[1]!.value.toFixed(1)} ms of the mail server`)
    const small = dovecot.addUser('many')
    dovecot.deliverMany(smallMessages(), small)
    const large = dovecot.addUser('large')
    dovecot.deliverMany(largeMessages(), large)
    // the first reader makes the server write its index: that is its work and not ours
    const measure = (user: TestMailUser) => mirror(database, dovecot, user)
    for (const user of [small, large]) await measure(user)
    for (let round = 1; round <= Math.min(rounds, 3); round += 1) {
      const first = await measure(small)
      if (first.stored !== many) throw new Error(`${first.stored} of ${many} messages were stored: ${JSON.stringify(first.problems)}`)
      const second = await measure(large)
      if (second.problems.length > 0) throw new Error(`the large mailbox was not mirrored: ${JSON.stringify(second.problems)}`)
      seconds.push(first.milliseconds / 1_000)
      growth.push((second.memoryHighest - second.memoryBefore) / mebibyte)
      onProgress(`round ${round}: ${first.stored} messages in ${seconds.at(-1)!.toFixed(1)} s; ${second.stored} messages of 200 MB in ${(second.milliseconds / 1_000).toFixed(1)} s`)
    }
  } finally {
    await dovecot.stop()
    await database.stop()
  }
  return [
    { name: '10,000 messages mirrored', unit: 's', ...middle(seconds), target: { atMost: 60 } },
    { name: 'memory growth over a 200 MB mailbox', unit: 'MiB', ...middle(growth), target: { atMost: 80 } },
    ...out,
  ]
}

let databases = 0

async function mirror({ empty }: Awaited<ReturnType<typeof benchDatabase>>, { port }: TestDovecot, { user, password }: TestMailUser): Promise<MirrorReport> {
  const { owner, connectionOf } = await castellanDatabase(await empty(`mail_${++databases}`))
  await owner.close()
  const task: MirrorTask = {
    connection: connectionOf('castellan_releaser'), password,
    account: {
      name: 'bench', kind: 'imap', host: '127.0.0.1', port, security: 'none', user, password: { secret: 'bench' }, folders: ['INBOX'],
      label: { level: 2, integrity: 'untrusted', lanes: ['private'] },
    },
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'test', 'support', 'mirror-child.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>])
  if (code !== 0) throw new Error(`the mirror ended with code ${code}`)
  return JSON.parse(said) as MirrorReport
}

/** About 5 kB each, no two alike. */
function* smallMessages(): Generator<string> {
  const line = `${'The quick brown fox jumps over the lazy dog. '.repeat(2).trim()}\r\n`
  for (let index = 0; index < many; index += 1) yield `${head(index)}${line.repeat(20 + (index % 60))}`
}

/** From 20 kB to 24 MB, as letters with attachments are. */
function* largeMessages(): Generator<string> {
  const sizes = [20_000, 100_000, 400_000, 900_000, 1_500_000, 5_000_000, 24_000_000]
  let left = mailboxBytes
  for (let index = 0; left > 0; index += 1) {
    const size = Math.min(left, sizes[index % sizes.length]!)
    left -= size
    const line = `${String(index).padStart(8, '0')}${'QmVuY2gg'.repeat(8)}\r\n`
    yield `${head(index)}${line.repeat(Math.ceil(size / line.length))}`
  }
}

function head(index: number): string {
  return [
    `From: Sender ${index % 100} <sender${index % 100}@example.org>`, 'To: operator@example.org', `Subject: Message ${index}`,
    `Message-ID: <bench-${index}@example.org>`, 'Date: Mon, 02 Mar 2026 08:00:00 +0000', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', '', '',
  ].join('\r\n')
}
