import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PassThrough } from 'node:stream'
import { runCli } from '../src/cli/program.ts'
import type { JobDetail, RunDetail, RunSummary, ToolRunView } from '../src/server/index.ts'
import { assertAccessible } from './support/axe.ts'
import { dashboardBrowser, type DashboardBrowser } from './support/dashboard-browser.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'

test('the dashboard, in a real browser on the starter house', { timeout: 600_000 }, async (t) => {
  const house = await runningHouse(t)
  const browser = await dashboardBrowser(t, house)
  if (browser === undefined) return

  await t.test('a link signs in once, and its code stays in no address', () => signsIn(browser))
  await t.test('a job is started from the list and watched to its end, over one stream', () => watchesRun(browser, house))
  await t.test('Today says what `castellan today` says', () => saysToday(browser, house))
  await t.test('a job is paused and goes on', () => pauses(browser, house))
  await t.test('what is P3 local only is shown when it is asked for, and not before', () => reveals(browser, house))
  await t.test('a run is taken up again from a step, after a yes', () => retries(browser, house))
  await t.test('the palette finds pages, jobs and runs', () => usesPalette(browser))
  await t.test('everything can be reached with the keyboard alone', () => usesKeys(browser))
  await t.test('axe finds nothing on any page, full, empty, loading or failed', () => isAccessible(browser, house))
  await t.test('the browser had nothing to complain about: no refused style or script, no exception', () => assert.deepEqual(browser.complaints, []))
  await t.test('who signs out sees how to sign in, and nothing else', () => signsOut(browser))
})

async function signsIn({ page, origin }: DashboardBrowser): Promise<void> {
  assert.equal(page.url(), `${origin}/`)
  assert.equal(await page.locator('h1').textContent(), 'Today')
  await page.reload()
  await page.locator('h1', { hasText: 'Today' }).waitFor()
}

async function watchesRun({ page, asked, go }: DashboardBrowser, house: RunningHouse): Promise<void> {
  await go('/jobs')
  asked.length = 0
  await page.getByRole('button', { name: 'Run now: morning-mail' }).click()
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/)
  await page.getByTestId('run-state').getByText('succeeded').waitFor()
  const id = page.url().slice(-36)
  assert.equal((await house.call<RunDetail>('server', 'GET', `/api/runs/${id}`)).state, 'succeeded')
  assert.ok(asked.filter((one) => one === `GET /api/runs/${id}`).length <= 2, `it was told and did not poll: ${asked.join(', ')}`)

  await page.getByRole('button', { name: /^brief/ }).click()
  await page.locator('#step-brief pre').getByText('Morning brief').waitFor()
  await page.getByRole('button', { name: /^propose/ }).click()
  const links = page.locator('#step-propose').getByRole('link', { name: /Read and sign/ })
  await links.nth(2).waitFor()
  const href = new URL((await links.first().getAttribute('href'))!)
  assert.notEqual(href.origin, new URL(page.url()).origin, 'what is signed is shown on an origin of its own')
}

async function saysToday({ page, go }: DashboardBrowser, house: RunningHouse): Promise<void> {
  await go('/')
  const said = (await commandSays(house, ['today'])).split('\n')[0]
  assert.match(said!, /^3 need you · 1 ran · 1 missed/)
  assert.equal(await page.getByTestId('today-line').textContent(), said)
  await page.getByText('Castellan was not running at that time; it started').waitFor()
  await page.locator('.brief').getByText('Wants something from you').waitFor()
}

async function pauses({ page, go }: DashboardBrowser, house: RunningHouse): Promise<void> {
  const stateOf = async () => (await house.call<JobDetail>('server', 'GET', '/api/jobs/weekly-wrap')).state
  await go('/jobs/weekly-wrap')
  await page.getByRole('button', { name: 'Pause weekly-wrap' }).click()
  await page.getByText('It is paused').waitFor()
  assert.equal(await stateOf(), 'paused')
  await page.getByRole('button', { name: 'Resume weekly-wrap' }).click()
  await page.getByRole('button', { name: 'Pause weekly-wrap' }).waitFor()
  assert.equal(await stateOf(), 'active')
}

async function reveals({ page, go }: DashboardBrowser, house: RunningHouse): Promise<void> {
  const { run, label } = await house.call<ToolRunView>('server', 'POST', '/api/tools/mail.list/run', { input: { account: 'sample', since: '30d' } })
  assert.equal(label.level, 3)
  await go(`/runs/${run}`)
  await page.getByRole('button', { name: /^call/ }).click()
  await page.locator('#step-call').getByText('is P3 local only').waitFor()
  assert.equal(await page.getByText('cardiologist').count(), 0)
  await page.locator('#step-call').getByRole('button', { name: 'Reveal' }).click()
  await page.locator('#step-call pre').waitFor()
}

async function retries({ page, go }: DashboardBrowser, house: RunningHouse): Promise<void> {
  const [run] = await house.call<RunSummary[]>('server', 'GET', '/api/runs?job=morning-mail')
  await go(`/runs/${run!.id}`)
  await page.getByRole('button', { name: /^brief/ }).click()
  await page.getByRole('button', { name: 'Retry from brief' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take up again' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const { steps } = await house.call<RunDetail>('server', 'GET', `/api/runs/${run!.id}?wait=60`)
  await page.getByTestId('run-state').getByText('succeeded').waitFor()
  assert.ok(steps.every(({ state }) => state === 'succeeded'))
}

async function usesPalette({ page, go, settled }: DashboardBrowser): Promise<void> {
  await go('/')
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('disk')
  await page.getByRole('option', { name: /disk-report/ }).first().waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/jobs\/disk-report$/)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('hou')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/house$/)
  await settled()
}

async function usesKeys({ page, go }: DashboardBrowser): Promise<void> {
  await go('/')
  await page.keyboard.press('g')
  await page.keyboard.press('j')
  await page.locator('h1', { hasText: 'Jobs' }).waitFor()
  await page.getByRole('link', { name: 'house-check' }).waitFor()
  for (const key of ['j', 'j', 'j', 'k', 'Enter']) await page.keyboard.press(key)
  await page.waitForURL(/\/jobs\/house-check$/)
  await page.locator('h1', { hasText: 'house-check' }).waitFor()
  await page.keyboard.press('Escape')
  await page.waitForURL(/\/jobs$/)

  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  await page.getByRole('switch').press('Space')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('?')
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').waitFor()
  assert.equal(await page.getByRole('dialog').count(), 1, 'single keys are off, the palette is not')
  await page.getByRole('combobox').fill('keyboard')
  await page.keyboard.press('Enter')
  await page.getByRole('switch').press('Space')
  await page.keyboard.press('Escape')

  // Tab alone: the first stop leads past the navigation
  await go('/')
  await page.keyboard.press('Tab')
  assert.equal(await page.locator('*:focus').textContent(), 'To the content')
}

async function isAccessible(browser: DashboardBrowser, house: RunningHouse): Promise<void> {
  const { page, go } = browser
  const [run] = await house.call<RunSummary[]>('server', 'GET', '/api/runs?job=morning-mail')
  const paths = ['/', '/jobs', '/jobs/morning-mail', '/runs', `/runs/${run!.id}`, '/drafts', '/house']
  for (const path of paths) {
    await page.setViewportSize({ width: 1280, height: 800 })
    await go(path)
    if (path.startsWith('/runs/')) await page.getByRole('button', { name: /^propose/ }).click()
    await assertAccessible(page, path)
  }
  for (const [path, api, data] of [['/jobs', 'jobs', []], ['/runs', 'runs', []], ['/drafts', 'drafts', []], ['/jobs/morning-mail', 'jobs/morning-mail/history', []]] as const) {
    await withAnswer(browser, api, { status: 200, json: { ok: true, data } }, path, () => assertAccessible(page, `${path}, empty`))
  }
  for (const path of paths) {
    const api = path === '/' ? 'today' : path.slice(1)
    const failure = { ok: false, error: { code: 'server.broken', message: 'it is broken' } }
    await withAnswer(browser, api, { status: 404, json: failure }, path, async () => {
      await page.getByText('it is broken').first().waitFor()
      await assertAccessible(page, `${path}, failed`)
    })
    await withAnswer(browser, api, undefined, path, async () => {
      await page.locator('[aria-busy=true]').waitFor()
      await assertAccessible(page, `${path}, loading`)
    })
  }
  browser.complaints.splice(0, browser.complaints.length, ...browser.complaints.filter((one) => !one.includes('404')))
}

/** Lets one call of the API be answered with this, or with nothing at all, while a page is looked at. */
async function withAnswer({ page, origin }: DashboardBrowser, api: string, answer: { status: number; json: unknown } | undefined, path: string, look: () => Promise<void>): Promise<void> {
  const matches = (url: URL) => url.pathname === `/api/${api}`
  await page.route(matches, (route) => (answer ? route.fulfill(answer) : undefined))
  await page.goto(origin + path)
  await page.locator('h1').waitFor()
  await look()
  await page.unrouteAll({ behavior: 'ignoreErrors' })
}

async function signsOut({ page, go, origin }: DashboardBrowser): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 800 })
  await go('/')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.locator('h1', { hasText: 'not signed in' }).waitFor()
  await assertAccessible(page, 'signed out')
  await page.goto(`${origin}/jobs`)
  await page.locator('h1', { hasText: 'not signed in' }).waitFor()
}

/** What a command prints on this house. */
async function commandSays({ home }: RunningHouse, argv: string[]): Promise<string> {
  let said = ''
  const screen = { isTTY: false, columns: 100, write: (text: string) => void (said += text) }
  const io = { env: { CASTELLAN_HOME: home }, stdin: Object.assign(new PassThrough(), { isTTY: false }), stdout: screen, stderr: { ...screen, write: () => {} } }
  assert.equal(await runCli(argv, io), 0)
  return said
}
