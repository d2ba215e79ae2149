import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ImapFlow } from 'imapflow'
import { dovecotSettings, passwordOf } from './dovecot-settings.ts'
import { freePort } from './free-port.ts'
import { unprivilegedUser } from './unprivileged-user.ts'

export interface TestMailUser {
  readonly user: string
  readonly password: string
}

export interface DovecotMessage {
  readonly uid: number
  readonly flags: readonly string[]
  readonly raw: Buffer
}

/** A Dovecot of its own: one server, several users, each with the mailbox of a Maildir. What is not said of a user is of the first. */
export interface TestDovecot extends TestMailUser {
  readonly host: '127.0.0.1'
  /** Plain, with STARTTLS offered. */
  readonly port: number
  /** TLS from the first byte. */
  readonly tlsPort: number
  /** The self-signed certificate, as PEM and as a file. It is for `localhost` and 127.0.0.1. */
  readonly ca: string
  readonly caFile: string
  addUser(name: string): TestMailUser
  /** Makes the folder where it is not there. @returns the uid */
  append(folder: string, raw: string | Buffer, flags?: readonly string[], as?: TestMailUser): Promise<number>
  /** Many messages at once, put into the Maildir of the inbox; for folders that nobody has open yet. */
  deliverMany(messages: Iterable<string | Buffer>, as?: TestMailUser): void
  list(folder: string, as?: TestMailUser): Promise<DovecotMessage[]>
  expunge(folder: string, uids: readonly number[], as?: TestMailUser): Promise<void>
  /** Throws the folder away and makes it anew, empty: with another UIDVALIDITY. */
  recreate(folder: string, as?: TestMailUser): Promise<void>
  /** What the server wrote into its log. */
  logged(): string
  /** Ends every session, as a server that is restarted does. */
  kick(): void
  stop(): Promise<void>
}

const program = ['/usr/sbin/dovecot', '/usr/local/sbin/dovecot', '/opt/homebrew/sbin/dovecot'].find(existsSync)

/** Why tests that need Dovecot are skipped on this machine, or false: for the option `skip` of a test. */
export const withoutDovecot: string | false = program === undefined ? 'Dovecot is not installed (apt-get install dovecot-imapd)' : false

/** Starts it on free ports of loopback, in a temporary folder; it ends with the test, or with the test file. */
export async function startDovecot(t?: Pick<TestContext, 'after'>): Promise<TestDovecot> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-dovecot-'))
  chmodSync(folder, 0o755)
  const root = process.getuid?.() === 0
  const owner = root ? unprivilegedUser() : { name: userInfo().username, uid: process.getuid!(), gid: process.getgid!() }
  const [port, tlsPort] = [await freePort(), await freePort()]
  const caFile = makeCertificate(folder)
  const mailHome = (name: string) => join(folder, 'mail', name)
  const addUser = (name: string) => {
    mkdirSync(mailHome(name), { recursive: true })
    if (root) chownSync(mailHome(name), owner.uid, owner.gid)
    return { user: name, password: passwordOf(name) }
  }
  const first = addUser('operator')
  const configuration = join(folder, 'dovecot.conf')
  writeFileSync(configuration, dovecotSettings({ folder, port: port, tlsPort: tlsPort, owner, root }))
  const child = spawn(program!, ['-F', '-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text) => (said += text))
  const exit = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await exit
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  t ? t.after(stop) : after(stop)
  await answers(port, () => (child.exitCode === null ? undefined : `Dovecot did not start: ${said}${existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : ''}`))

  async function session<T>({ user, password }: TestMailUser, work: (client: ImapFlow) => Promise<T>): Promise<T> {
    const client = new ImapFlow({ host: '127.0.0.1', port: port, secure: false, doSTARTTLS: false, auth: { user, pass: password }, logger: false, disableAutoIdle: true })
    client.on('error', () => {})
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.logout()
    }
  }
  const inFolder = <T>(as: TestMailUser, path: string, work: (client: ImapFlow) => Promise<T>) =>
    session(as, async (client) => {
      await client.mailboxOpen(path)
      return work(client)
    })

  let delivered = 0
  return {
    ...first, host: '127.0.0.1', port: port, tlsPort: tlsPort, caFile, ca: readFileSync(caFile, 'utf8'), addUser, stop,
    append: (path, raw, flags = [], as = first) =>
      session(as, async (client) => {
        await client.mailboxCreate(path).catch(() => {})
        const answer = await client.append(path, raw, [...flags])
        if (!answer || answer.uid === undefined) throw new Error(`Dovecot did not take the message for ${path}`)
        return answer.uid
      }),
    deliverMany(messages, { user } = first) {
      const maildir = join(mailHome(user), 'Maildir')
      const made = ['', 'tmp', 'new', 'cur'].map((name) => join(maildir, name))
      for (const path of made) mkdirSync(path, { recursive: true })
      for (const raw of messages) {
        const path = join(maildir, 'cur', `${1_700_000_000 + delivered}.${String(++delivered).padStart(7, '0')}.test:2,`)
        writeFileSync(path, raw)
        made.push(path)
      }
      if (root) for (const path of made) chownSync(path, owner.uid, owner.gid)
    },
    list: (path, as = first) =>
      inFolder(as, path, async (client) => {
        const found: DovecotMessage[] = []
        if (client.mailbox && client.mailbox.exists === 0) return found
        for await (const { uid, flags, source } of client.fetch('1:*', { uid: true, flags: true, source: true })) found.push({ uid, flags: [...flags!].sort(), raw: source! })
        return found
      }),
    async expunge(path, uids, as = first) {
      await inFolder(as, path, (client) => client.messageDelete(uids.join(','), { uid: true }))
    },
    async recreate(path, as = first) {
      await session(as, async (client) => {
        await client.mailboxDelete(path)
        await client.mailboxCreate(path)
      })
    },
    logged: () => readFileSync(join(folder, 'log'), 'utf8'),
    kick: () => void execFileSync('doveadm', ['-c', configuration, 'kick', '*'], { stdio: 'ignore', env: { PATH: '/usr/sbin:/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin' } }),
  }
}

function makeCertificate(folder: string): string {
  const path = join(folder, 'certificate.pem')
  const made = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', path,
  ], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`openssl made no certificate: ${made.error?.message ?? made.stderr}`)
  return path
}

/** Waits until somebody listens; nothing says so from inside, so it is asked again. */
async function answers(port: number, failed: () => string | undefined): Promise<void> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await delay(20)) {
    const failure = failed()
    if (failure !== undefined) throw new Error(failure)
    const socket = connect(port, '127.0.0.1')
    const open = await Promise.race([once(socket, 'connect').then(() => true, () => false), delay(2_000, false)])
    socket.destroy()
    if (open) return
  }
  throw new Error('Dovecot did not answer within 20 s')
}
