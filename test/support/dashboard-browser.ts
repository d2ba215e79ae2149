import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser } from './chromium.ts'
import type { RunningHouse } from './running-house.ts'

export interface DashboardBrowser {
  readonly page: Page
  readonly origin: string
  /** What the browser complained about: refused styles and scripts, failed requests, exceptions. */
  readonly complaints: string[]
  /** The paths of the API that the page asked for, in order. */
  readonly asked: string[]
  /** Opens a page of the app and waits until nothing on it is loading. */
  go(path: string): Promise<void>
  settled(): Promise<void>
}

/** A browser that is signed in by a link, as the terminal prints it. Undefined, and the test skipped, where there is no Chromium. */
export async function dashboardBrowser(t: TestContext, house: RunningHouse): Promise<DashboardBrowser | undefined> {
  const browser = await openBrowser(t)
  if (browser === undefined) return undefined
  const context = await browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1280, height: 800 }, permissions: ['clipboard-write'] })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const complaints: string[] = []
  const asked: string[] = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => new URL(request.url()).pathname.startsWith('/api/') && asked.push(`${request.method()} ${new URL(request.url()).pathname}`))
  const settled = async () => {
    await page.locator('h1').first().waitFor()
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
  }
  const { url } = await house.call<{ url: string }>('server', 'POST', '/api/signin/link')
  await page.goto(url)
  await settled()
  const { origin } = new URL(url)
  return {
    page, origin, complaints, asked, settled,
    async go(path) {
      await page.goto(origin + path)
      await settled()
    },
  }
}
