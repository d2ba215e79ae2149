import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { addPasskeyDevice, openBrowser, withoutChromium } from './chromium.ts'
import { startDovecot, withoutDovecot, type TestDovecot } from './dovecot.ts'
import { runningHouse, type RunningHouse } from './running-house.ts'
import { startSmtpServer, type SmtpTestServer } from './smtp-server.ts'

export const withoutMailDesk: string | false = withoutChromium || withoutDovecot

const root = join(import.meta.dirname, '../..')

export interface MailDesk {
  readonly house: RunningHouse
  readonly dovecot: TestDovecot
  readonly smtp: SmtpTestServer
  /** The signing page, with a passkey enrolled and a session open. */
  readonly page: Page
  /** Runs a job to its end. @returns its run */
  run(job: string): Promise<string>
  /** Drafts of the house, the newest first. */
  drafts(): Promise<HouseDraft[]>
  /** Waits for a draft like that. */
  frozen(isMeant: (draft: HouseDraft) => boolean): Promise<HouseDraft>
  /** Waits until the releaser says so. */
  becomes(id: string, state: string): Promise<HouseDraft>
  /** Puts the cursor on a draft and waits until it is shown. */
  pointAt(title: string): Promise<void>
}

export interface HouseDraft {
  readonly id: string
  readonly state: string
  readonly title: string
  readonly risk: number
  readonly reasons: readonly string[]
  readonly replaces: string | null
  readonly expires_at: string
}

export interface MailDeskOptions {
  readonly jobs: Readonly<Record<string, string>>
}

/** A whole house with a mailbox on a real Dovecot, a real SMTP server as its way out, and the operator at his desk in a real Chromium. */
export async function mailDesk(t: TestContext, { jobs }: MailDeskOptions): Promise<MailDesk | undefined> {
  const browser = await openBrowser(t)
  if (!browser) return undefined
  spawnSync(process.execPath, [join(root, 'scripts/build-web.js')], { stdio: 'ignore' })
  const dovecot = await startDovecot(t)
  const smtp = await startSmtpServer(t, { security: 'tls', auth: { user: 'mira', password: 'sesame' } })
  const house = await runningHouse(t, {
    jobs,
    prepare: (home) => {
      mkdirSync(join(home, 'secrets'), { mode: 0o700 })
      for (const [name, value] of [['mailbox', dovecot.password], ['post', 'sesame']]) writeFileSync(join(home, 'secrets', name!), value!, { mode: 0o600 })
      writeFileSync(join(home, 'house', 'post.pem'), smtp.ca!)
      writeFileSync(join(home, 'house', 'labels.yaml'), '[]\n') // the rules of the starter house are about its sample mailbox
    },
    edit: (yaml) => yaml
      .replace(/^mail:\n(?: .*\n)*/m, `isolation: { accept_demonstration: true }\nmail:\n  accounts:\n    desk: { kind: imap, host: 127.0.0.1, port: ${dovecot.port}, security: none, user: ${dovecot.user}, password: { secret: mailbox } }\n`)
      .replace(/^outbox:\n(?: .*\n)*/m, [
        'outbox:', '  hold: 2s', '  connectors:',
        `    post: { kind: smtp, host: ${smtp.host}, port: ${smtp.port}, security: tls, ca: post.pem, user: mira, password: { secret: post }, from: "Mira Halden <mira@halden.example>", sent: { account: desk, folder: Sent } }`, '',
      ].join('\n')),
  })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await addPasskeyDevice(page)
  const { link } = await house.call<{ link: string }>('releaser', 'POST', '/enrolments', { name: 'desk' })
  await page.goto(link)
  await page.getByText('Enrol a passkey of this device').waitFor()
  await page.keyboard.press('Enter')
  await page.getByText('The passkey is enrolled').waitFor()
  await page.keyboard.press('Enter')
  await page.locator('.desk').waitFor()

  const drafts = () => house.call<HouseDraft[]>('releaser', 'GET', '/drafts')
  return {
    house, dovecot, smtp, page, drafts,
    async run(job) {
      const { id } = await house.call<{ id: string }>('server', 'POST', `/api/jobs/${job}/run`, {})
      const run = await house.call<{ state: string; error: unknown }>('server', 'GET', `/api/runs/${id}?wait=60`)
      if (run.state !== 'succeeded') throw new Error(`the run ended as ${run.state}: ${JSON.stringify(run.error)}`)
      return id
    },
    async frozen(isMeant) {
      for (const deadline = Date.now() + 60_000; ; await delay(50)) {
        const draft = (await drafts()).find(isMeant)
        if (draft) return draft
        if (Date.now() > deadline) throw new Error('there is no such draft')
      }
    },
    async becomes(id, state) {
      for (const deadline = Date.now() + 60_000; ; await delay(50)) {
        const draft = (await drafts()).find((one) => one.id === id)
        if (draft?.state === state) return draft
        if (Date.now() > deadline) throw new Error(`draft ${id} is ${draft?.state}, not ${state}`)
      }
    },
    async pointAt(title) {
      await page.locator('.row', { hasText: title }).first().waitFor()
      await page.keyboard.press('Home')
      for (let step = 0; step < 20; step += 1) {
        if ((await page.locator('.row[data-cursor] .row-title').textContent()) === title) break
        await page.keyboard.press('j')
      }
      await page.locator('.draft-pane .draft-title', { hasText: title }).waitFor()
      await page.locator('.acts').waitFor()
    },
  }
}

/** Waits until the mailbox is mirrored with so many messages. */
export async function mirrored(house: RunningHouse, messages: number): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; await delay(50)) {
    const mailboxes = await house.call<{ stored: number }[]>('releaser', 'GET', '/mailboxes')
    if (mailboxes.reduce((sum, mailbox) => sum + mailbox.stored, 0) >= messages) return
    if (Date.now() > deadline) throw new Error(`not mirrored: ${JSON.stringify(mailboxes)}`)
  }
}
