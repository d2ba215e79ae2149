import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunDetail, RunSummary, TodayView } from '../src/server/index.ts'
import { newId } from '../src/kernel/ids.ts'
import { assertAccessible } from './support/axe.ts'
import { dashboardBrowser, type DashboardBrowser } from './support/dashboard-browser.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'

test('axe finds nothing on any page of the dashboard at three widths, and none scrolls sideways at 320 px', { timeout: 600_000 }, async (t) => {
  const house = await runningHouse(t)
  const browser = await dashboardBrowser(t, house)
  if (browser === undefined) return
  const { id } = await house.call<RunSummary>('server', 'POST', '/api/jobs/morning-mail/run', {})
  const run = await house.call<RunDetail>('server', 'GET', `/api/runs/${id}?wait=60`)
  assert.equal(run.state, 'succeeded')
  const paths = ['/', '/jobs', '/jobs/morning-mail', '/runs', `/runs/${id}`, '/drafts', '/house']

  for (const path of paths) await t.test(`${path.replace(id, ':id')}, full`, () => full(browser, path))
  for (const path of paths) await t.test(`${path.replace(id, ':id')}, failed and loading`, () => failedAndLoading(browser, path))
  for (const [path, api] of Object.entries(empty)) await t.test(`${path}, empty`, () => withAnswer(browser, api, [], path, () => assertAccessible(browser.page, path)))
  for (const [what, data] of Object.entries(await otherDays(house, run))) {
    await t.test(`Today on ${what}`, () => withAnswer(browser, 'today', data, '/', () => assertAccessible(browser.page, what)))
  }
  await t.test('the palette, the keys and a question', () => dialogs(browser, id))
})

/** Lists that a new house has nothing to show in. */
const empty = { '/jobs': 'jobs', '/runs': 'runs', '/drafts': 'drafts', '/jobs/morning-mail': 'jobs/morning-mail/history' }

async function full({ page, go }: DashboardBrowser, path: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 800 })
  await go(path)
  if (path.startsWith('/runs/')) await page.getByRole('button', { name: /^propose/ }).click()
  await assertAccessible(page, path)
}

async function failedAndLoading({ page, origin }: DashboardBrowser, path: string): Promise<void> {
  const matches = (url: URL) => url.pathname === (path === '/' ? '/api/today' : `/api${path}`)
  await page.route(matches, (route) => route.fulfill({ status: 404, json: { ok: false, error: { code: 'it.broke', message: 'it is broken' } } }))
  await page.goto(origin + path)
  await page.getByText('it is broken').first().waitFor()
  await assertAccessible(page, `${path}, failed`)
  await page.unrouteAll({ behavior: 'ignoreErrors' })

  await page.route(matches, () => {}) // it is never answered
  await page.goto(origin + path)
  await page.locator('[aria-busy=true]').first().waitFor()
  await assertAccessible(page, `${path}, loading`)
  await page.unrouteAll({ behavior: 'ignoreErrors' })
}

/** Lets one call of the API be answered with this while a page is looked at. */
async function withAnswer({ page, go }: DashboardBrowser, api: string, data: unknown, path: string, look: () => Promise<void>): Promise<void> {
  await page.route((url) => url.pathname === `/api/${api}`, (route) => route.fulfill({ json: { ok: true, data } }))
  await go(path)
  await look()
  await page.unrouteAll({ behavior: 'ignoreErrors' })
}

async function dialogs({ page, go }: DashboardBrowser, run: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 800 })
  await go(`/runs/${run}`)
  await page.keyboard.press('Control+k')
  await page.getByRole('option').first().waitFor()
  await assertAccessible(page, 'the palette')
  await page.keyboard.press('Escape')
  await page.locator('[role=dialog]').waitFor({ state: 'detached' })
  await page.keyboard.press('?')
  await page.getByRole('switch').waitFor()
  await assertAccessible(page, 'the keys')
  await page.keyboard.press('Escape')
  await page.locator('[role=dialog]').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /^brief/ }).click()
  await page.getByRole('button', { name: 'Retry from brief' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take up again' }).waitFor()
  await assertAccessible(page, 'a question')
}

/** Days that the starter house does not have. */
async function otherDays(house: RunningHouse, run: RunSummary): Promise<Record<string, TodayView>> {
  const today = await house.call<TodayView>('server', 'GET', '/api/today')
  const error = { code: 'mail.unreachable', message: 'the mail server does not answer' }
  const problem = { file: 'jobs/a-job.yaml', line: 3, column: 5, what: 'there is no tool "mail.sent"', instead: 'did you mean mail.send?' }
  const alert = {
    id: newId(), kind: 'audit.broken', level: 'critical' as const, state: 'open' as const, subject: 'chain', what: 'the record of what happened is not whole: chain',
    mend: 'castellan audit verify names the first batch that is wrong', code: 'batch.7', count: 1, times_opened: 1, first_seen: today.at, last_seen: today.at, acknowledged_at: null, closed_at: null,
  }
  return {
    'a bad day': {
      ...today,
      counts: { ...today.counts, needs_you: 9 },
      dead: [{ ...run, state: 'dead', error }],
      problems: [{ ...problem, severity: 'error' }, { ...problem, line: 9, severity: 'warning' }],
      security_alerts: [alert, { ...alert, id: newId(), level: 'warning', kind: 'signin.failed', what: 'sign-ins failed again and again: dashboard', count: 7 }],
      more_security_alerts: 3,
      alerts: [{ kind: 'signin.locked', at: today.at, what: 'sign-in was locked after 5 wrong codes' }],
      drafts: [{ ...today.drafts[0]!, state: 'unknown', risk: 8 }],
      isolation: { mode: 'demonstration', detail: 'all processes share one uid' },
    },
    'a calm day': { ...today, state: 'calm', counts: { ...today.counts, needs_you: 0 }, drafts: [], dead: [], problems: [], runs: [], not_run: [], next: [], brief: null },
  }
}
