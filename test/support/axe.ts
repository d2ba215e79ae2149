import assert from 'node:assert/strict'
import axe from 'axe-core'
import type { Page } from 'playwright-core'

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: { readonly html: string; readonly failureSummary?: string }[]
}

/** Widths that pages are looked at in: a phone, a tablet, a desk. */
export const widths = [360, 768, 1280] as const

/** Fails with what axe finds on the page as it is now, at each width; and when it can be scrolled sideways at 320 px. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  // by the debugger: a page whose policy knows no eval refuses what is evaluated as text
  const devtools = await page.context().newCDPSession(page)
  const evaluate = async (expression: string) => (await devtools.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value as unknown
  await evaluate(axe.source)
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 })
    const found = JSON.parse(String(await evaluate('axe.run().then(({ violations }) => JSON.stringify(violations))'))) as Violation[]
    assert.deepEqual(found.map(told), [], `${what} at ${width} px`)
  }
  await page.setViewportSize({ width: 320, height: 640 })
  const tooWide = Number(await evaluate('document.documentElement.scrollWidth - innerWidth'))
  assert.ok(tooWide <= 0, `${what} is ${tooWide} px too wide for 320 px`)
  await devtools.detach()
}

function told({ id, help, nodes }: Violation): string {
  return `${id}: ${help}: ${nodes.slice(0, 3).map(({ html, failureSummary = '' }) => `${html.slice(0, 200)} ${failureSummary.slice(0, 200)}`).join(' | ')}`
}
