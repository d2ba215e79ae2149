import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import axe from 'axe-core'
import type { BrowserContext, Page } from 'playwright-core'
import { addPasskeyDevice, openBrowser, type PasskeyDevice } from './chromium.ts'
import type { TestOutboxOptions } from './outbox.ts'
import { servedSigning, type ServedSigning } from './signing-app.ts'

const root = join(import.meta.dirname, '../..')

export interface SigningDesk extends ServedSigning {
  readonly context: BrowserContext
  readonly page: Page
  readonly device: PasskeyDevice
  /** One key after the other, as a person without a mouse. */
  press(...keys: readonly string[]): Promise<void>
  /** Text that can be seen, anywhere on the page. */
  sees(text: string | RegExp): Promise<void>
  /** Enrols a passkey with a code of the terminal and opens a session, by keyboard. */
  enter(): Promise<void>
}

/** The built signing page of a releaser, in a real Chromium with a passkey device. The test was skipped when there is no Chromium. */
export async function signingDesk(t: TestContext, options: Pick<TestOutboxOptions, 'connectors' | 'settings'> = {}): Promise<SigningDesk | undefined> {
  spawnSync(process.execPath, [join(root, 'scripts/build-web.js')], { stdio: 'ignore' })
  const browser = await openBrowser(t)
  if (!browser) return undefined
  // the page counts the hold down in real time, however busy the machine is
  const served = await servedSigning(t, { page: join(root, 'web/dist/signing'), ...options, settings: { holdMs: 120_000, ...options.settings } })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', timezoneId: 'UTC' })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const device = await addPasskeyDevice(page)
  const desk: SigningDesk = {
    ...served, context, page, device,
    async press(...keys) {
      for (const key of keys) await page.keyboard.press(key)
    },
    sees: (text) => page.getByText(text).filter({ visible: true }).first().waitFor(),
    async enter() {
      await page.goto(`${served.site.origin}/#enrol=${served.codes.issue(undefined).code}`)
      await desk.sees('Enrol a passkey of this device')
      await desk.press('Enter')
      await desk.sees('The passkey is enrolled')
      await desk.press('Enter')
      await page.locator('.desk').waitFor()
    },
  }
  return desk
}

/** Everything that axe finds wrong with the page as it is, at three widths; and whether it must be moved sideways at 320 px. */
export async function faultsOf(page: Page): Promise<string[]> {
  const faults: string[] = []
  const before = page.viewportSize()!
  for (const width of [360, 768, 1280]) {
    await resize(page, { width, height: 800 })
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate<axe.AxeResults>('axe.run()')
    faults.push(...violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${width} px: ${id}: ${html.slice(0, 160)}: ${failureSummary ?? ''}`)))
  }
  await resize(page, { width: 320, height: 700 })
  if (await page.evaluate('document.scrollingElement.scrollWidth > 320')) faults.push('320 px: it must be moved sideways')
  await resize(page, before)
  return faults
}

/** Resolves when the page has drawn itself at this size: a key that comes before opens the draft, on one pane, and does not sign it. */
async function resize(page: Page, size: { width: number; height: number }): Promise<void> {
  await page.setViewportSize(size)
  await page.waitForFunction(`innerWidth === ${size.width}`)
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
}
