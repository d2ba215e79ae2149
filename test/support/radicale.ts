import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'

const program = ['/usr/bin/radicale', '/usr/local/bin/radicale', '/opt/homebrew/bin/radicale'].find(existsSync)

/** Why tests that need a CalDAV server are skipped on this machine, or false: for the option `skip` of a test. */
export const withoutRadicale: string | false = program === undefined ? 'Radicale is not installed (apt-get install radicale)' : false

export const calendarUser = 'house'
export const calendarPassword = 'pass word of the calendar'

export interface TestRadicale {
  readonly port: number
  /** A calendar of its own, empty. @returns its address, with `/` at the end */
  makeCalendar(name: string): Promise<string>
  /** As another client would; the server's answer. */
  ask(method: string, url: string, body?: string, headers?: Record<string, string>): Promise<Response>
  /** The names of what is in a calendar. */
  list(calendar: string): Promise<string[]>
}

/** A Radicale of its own on a free port of loopback; it ends with the test, or with the test file. */
export async function startRadicale(t?: Pick<TestContext, 'after'>): Promise<TestRadicale> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-radicale-'))
  const port = await freePort()
  writeFileSync(join(folder, 'users'), `${calendarUser}:${calendarPassword}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'config'), [
    `[server]\nhosts = 127.0.0.1:${port}`, `[auth]\ntype = htpasswd\nhtpasswd_filename = ${join(folder, 'users')}\nhtpasswd_encryption = plain\ndelay = 0`,
    '[rights]\ntype = owner_only', `[storage]\nfilesystem_folder = ${join(folder, 'collections')}`, '[logging]\nlevel = warning', '',
  ].join('\n'))
  const child = spawn(program!, ['--config', join(folder, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] })
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
  const root = `http://localhost:${port}`
  const login = { authorization: `Basic ${Buffer.from(`${calendarUser}:${calendarPassword}`).toString('base64')}` }
  const ask: TestRadicale['ask'] = (method, url, body, headers = {}) => fetch(url, { method, headers: { ...login, ...headers }, ...(body !== undefined && { body }) })
  await answers(() => ask('OPTIONS', `${root}/`), () => (child.exitCode === null ? undefined : `Radicale did not start: ${said}`))
  return {
    port, ask,
    async makeCalendar(name) {
      const url = `${root}/${calendarUser}/${name}/`
      const { status } = await ask('MKCALENDAR', url)
      if (status !== 201) throw new Error(`Radicale made no calendar: ${status} ${said}`)
      return url
    },
    async list(calendar) {
      const answer = await ask('PROPFIND', calendar, '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>', { depth: '1' })
      return [...(await answer.text()).matchAll(/<href>[^<]*\/([^</]+)<\/href>/g)].map(([, name]) => name!)
    },
  }
}

/** Waits until somebody listens; nothing says so from inside, so it is asked again. */
async function answers(ask: () => Promise<unknown>, failed: () => string | undefined): Promise<void> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await delay(50)) {
    const failure = failed()
    if (failure !== undefined) throw new Error(failure)
    if (await ask().then(() => true, () => false)) return
  }
  throw new Error('Radicale did not answer within 30 s')
}
