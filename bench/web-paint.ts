import type { Browser, BrowserContext, Page } from 'playwright-core'
import { addPasskeyDevice, launchChromium } from '../test/support/chromium.ts'
import { middle, type Figure } from './figure.ts'
import type { BusyHouse } from './web-house.ts'
import type { Enrolment } from './web-signing-door.ts'

const mostMs = { first: 500, largest: 1_000 }
/** After the page has all that it asked for, something larger could still be painted. */
const quietMs = 300
const size = { width: 1280, height: 800 }

/** Milliseconds from the begin of the navigation, as the browser tells them. */
interface Paints { readonly first: number; readonly largest: number }

const observe = `globalThis.paints = { first: 0, largest: 0 }
  const watch = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true })
  watch('paint', (entry) => { if (entry.name === 'first-contentful-paint') paints.first = entry.startTime })
  watch('largest-contentful-paint', (entry) => { paints.largest = entry.startTime })`

/** When the pages of both apps are painted in a real Chromium that has nothing of them yet. */
export async function measurePaints(house: BusyHouse, rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const browser = await launchChromium()
  try {
    const dashboard = await paintsOfDashboard(browser, house, rounds)
    onProgress('web: the pages of the dashboard were painted')
    const signing = await paintsOfSigning(browser, house, rounds)
    onProgress('web: the signing page was painted')
    return [...signing, ...dashboard]
  } finally {
    await browser.close()
  }
}

async function paintsOfDashboard(browser: Browser, house: BusyHouse, rounds: number): Promise<Figure[]> {
  const { url } = await house.call<{ url: string }>('server', 'POST', '/api/signin/link')
  const { origin } = new URL(url)
  const [run] = await house.call<{ id: string }[]>('server', 'GET', '/api/runs?limit=1')
  const signingIn = await browser.newContext()
  const door = await signingIn.newPage()
  await door.goto(url)
  await loaded(door, 'Today')
  const storageState = await signingIn.storageState()
  await signingIn.close()

  const pages = [['/', 'Today'], ['/jobs', 'Jobs'], ['/jobs/job-07', 'job-07'], ['/runs', 'Runs'], [`/runs/${run!.id}`, ''], ['/drafts', 'Drafts'], ['/house', 'House']] as const
  const figures: Figure[] = []
  for (const [path, title] of pages) {
    const largest: number[] = []
    for (let round = 0; round <= rounds; round += 1) {
      const context = await browser.newContext({ viewport: size, storageState })
      const { largest: at } = await load(context, origin + path, (page) => loaded(page, title))
      if (round > 0) largest.push(at)
      await context.close()
    }
    figures.push({ name: `LCP of the dashboard, ${path.replace(run!.id, 'ID').replace('job-07', 'NAME')}`, unit: 'ms', ...middle(largest), target: { atMost: mostMs.largest } })
  }
  return figures
}

async function loaded(page: Page, title: string): Promise<void> {
  await page.locator('h1', { hasText: title }).first().waitFor()
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
  if (await page.getByText('not signed in').count()) throw new Error(`${page.url()}: the browser is not signed in`)
}

async function paintsOfSigning(browser: Browser, house: BusyHouse, rounds: number): Promise<Figure[]> {
  const { link, sign_origin: origin } = await house.call<Enrolment>('releaser', 'POST', '/enrolments', { name: 'browser' })
  const strange: Paints[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const context = await browser.newContext({ viewport: size })
    const paints = await load(context, origin, (page) => page.getByRole('button', { name: 'Use passkey' }).waitFor())
    if (round > 0) strange.push(paints)
    await context.close()
  }

  // a session key cannot leave its browser: the context stays, and what it holds of the page is thrown away before each load
  const context = await browser.newContext({ viewport: size })
  const page = await context.newPage()
  await addPasskeyDevice(page)
  await page.goto(link)
  await page.getByRole('heading', { name: 'Enrol a passkey' }).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'The passkey is enrolled' }).waitFor()
  await page.keyboard.press('Enter')
  await page.locator('.row').first().waitFor()
  const known: Paints[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const paints = await load(context, origin, (fresh) => fresh.locator('.row').first().waitFor())
    if (round > 0) known.push(paints)
  }
  await context.close()
  return [
    { name: 'first paint of the signing page', unit: 'ms', ...middle(strange.map(({ first }) => first)), target: { atMost: mostMs.first } },
    { name: 'first paint of the signing page, signed in', unit: 'ms', ...middle(known.map(({ first }) => first)), target: { atMost: mostMs.first } },
    { name: 'LCP of the signing page, 1,000 drafts', unit: 'ms', ...middle(known.map(({ largest }) => largest)), target: { atMost: mostMs.largest } },
  ]
}

/** One load in a tab of its own, with an empty cache. */
async function load(context: BrowserContext, url: string, ready: (page: Page) => Promise<void>): Promise<Paints> {
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.clearBrowserCache')
  await page.addInitScript(observe)
  await page.goto(url)
  await ready(page)
  await page.waitForTimeout(quietMs)
  const paints = await page.evaluate<Paints>('paints')
  await page.close()
  if (!(paints.first > 0 && paints.largest > 0)) throw new Error(`${url}: the browser told no paint: ${JSON.stringify(paints)}`)
  return paints
}
