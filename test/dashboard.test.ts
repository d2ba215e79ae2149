import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { runCli } from '../src/cli/program.ts'
import type { JobDetail, RunDetail, RunSummary, ToolRunView } from '../src/server/index.ts'
import { assertAccessible } from './support/axe.ts'
import { dashboardBrowser, type DashboardBrowser } from './support/dashboard-browser.ts'
import { homeDatabase } from './support/home-database.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'

test('the dashboard, in a real browser on the starter house', { timeout: 600_000 }, async (t) => {
  const house = await runningHouse(t, { prepare: leaveSchedulesAlone })
  const browser = await dashboardBrowser(t, house)
  if (browser === undefined) return

  await t.test('a link signs in once, and its code stays in no address', () => signsIn(browser))
  await t.test('a job is started from the list and watched to its end, over one stream', () => watchesRun(browser, house))
  await t.test('Today says what `castellan today` says', () => saysToday(browser, house))
  await t.test('an alert stands on Today at once, with what to do, until it is acknowledged', () => acknowledges(t, browser, house))
  await t.test('a job is paused and goes on', () => pauses(browser, house))
  await t.test('what is P3 local only is shown when it is asked for, and not before', () => reveals(browser, house))
  await t.test('a run is taken up again from a step, after a yes', () => retries(browser, house))
  await t.test('the palette finds pages, jobs and runs', () => usesPalette(browser))
  await t.test('everything can be reached with the keyboard alone', () => usesKeys(browser))
  await t.test('the browser had nothing to complain about: no refused style or script, no exception', () => assert.deepEqual(browser.complaints, []))
  await t.test('who signs out, or is signed out, sees how to sign in and nothing else', () => signsOut(browser, house))
})

/** What is counted must not depend on the hour: no job of the day, the week or the year but the yearly one, which is late on purpose, has a slot before the next leap day. */
function leaveSchedulesAlone(home: string): void {
  const jobs = join(home, 'house', 'jobs')
  for (const name of readdirSync(jobs).filter((one) => one !== 'yearly-inventory.yaml')) {
    writeFileSync(join(jobs, name), readFileSync(join(jobs, name), 'utf8').replace(/cron: "[^"]+"/, 'cron: "0 0 29 2 *"'))
  }
}

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

async function acknowledges(t: TestContext, { page, go }: DashboardBrowser, house: RunningHouse): Promise<void> {
  await go('/')
  const badge = page.locator('.nav .badge')
  const before = Number(await badge.textContent())
  const owner = await homeDatabase(t, house.home)
  await owner.pool.query(`select alert_report('signature.failed', 'file', 1, now(), 'draft.signature')`)
  const row = page.locator('.alert-row', { hasText: 'A signature did not hold: file' })
  await row.getByText('castellan operator revoke').waitFor()
  assert.deepEqual([Number(await badge.textContent()), await badge.getAttribute('aria-label')], [before + 1, `${before + 1} need you, something critical`])
  await row.getByRole('button', { name: /^Acknowledge/ }).click()
  await row.waitFor({ state: 'detached' })
  assert.deepEqual((await owner.pool.query('select state from alert')).rows, [{ state: 'acknowledged' }])
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
  await page.locator('[role=dialog]').waitFor({ state: 'detached' })
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
  for (const key of ['j', 'j', 'j', 'j', 'k', 'Enter']) await page.keyboard.press(key)
  await page.waitForURL(/\/jobs\/house-check$/)
  await page.locator('h1', { hasText: 'house-check' }).waitFor()
  await page.keyboard.press('Escape')
  await page.waitForURL(/\/jobs$/)

  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  await page.getByRole('switch').press('Space')
  await page.keyboard.press('Escape')
  await page.locator('[role=dialog]').waitFor({ state: 'detached' })
  assert.match(page.url(), /\/jobs$/, 'Escape closed the dialog and did not go back')
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

async function signsOut({ page, go, origin }: DashboardBrowser, house: RunningHouse): Promise<void> {
  const signedOut = page.locator('h1', { hasText: 'not signed in' })
  await page.setViewportSize({ width: 1280, height: 800 })
  await go('/')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await signedOut.waitFor()
  await assertAccessible(page, 'signed out')
  await page.goto(`${origin}/jobs`)
  await signedOut.waitFor()

  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto((await house.call<{ url: string }>('server', 'POST', '/api/signin/link')).url)
  await page.locator('h1', { hasText: 'Today' }).waitFor()
  for (const { id } of await house.call<{ id: string }[]>('server', 'GET', '/api/sessions')) await house.call('server', 'POST', `/api/sessions/${id}/revoke`)
  await page.getByRole('link', { name: 'Runs' }).click()
  await signedOut.waitFor()
}

/** What a command prints on this house. */
async function commandSays({ home }: RunningHouse, argv: string[]): Promise<string> {
  let said = ''
  const screen = { isTTY: false, columns: 100, write: (text: string) => void (said += text) }
  const io = { env: { CASTELLAN_HOME: home }, stdin: Object.assign(new PassThrough(), { isTTY: false }), stdout: screen, stderr: { ...screen, write: () => {} } }
  assert.equal(await runCli(argv, io), 0)
  return said
}

test('what the browser loads before the first page is at most 200 KB of compressed script', () => {
  const folder = join(import.meta.dirname, '../web/dist/dashboard')
  const scripts = [...readFileSync(join(folder, 'index.html'), 'utf8').matchAll(/"(\/assets\/[^"]+\.js)"/g)].map(([, path]) => readFileSync(join(folder, path!)))
  const size = scripts.reduce((sum, script) => sum + gzipSync(script).length, 0)
  assert.ok(scripts.length > 0 && size <= 200_000, `${scripts.length} scripts, ${size} bytes`)
})
