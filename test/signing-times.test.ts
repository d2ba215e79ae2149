import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findDraft } from '../src/outbox/draft-queries.ts'
import { proposeOrder } from '../src/outbox/orders/propose-order.ts'
import { withoutChromium } from './support/chromium.ts'
import { aMail } from './support/outbox.ts'
import { faultsOf, signingDesk, type SigningDesk } from './support/signing-desk.ts'
import { botToken } from './support/telegram-api.ts'
import { openConnector } from '../src/outbox/connectors/connectors.ts'
import { createFileConnector } from '../src/outbox/connectors/file.ts'

const skip = withoutChromium
const hour = 3_600_000
const settings = { name: 'me', kind: 'telegram', chat: '4711', token: { secret: 'bot' }, api: 'https://api.telegram.org', private: false } as const

const successors = async ({ outbox }: SigningDesk, ids: readonly string[]) =>
  (await outbox.database.owner.pool.query<{ id: string; state: string; not_before: Date }>('select id, state, not_before from draft where replaces = any ($1) order by not_before nulls first', [ids])).rows

test('on the page a draft is approved for later, several one every two hours; an order is signed by passkey; a fence is lifted; axe finds nothing', { skip }, async (t) => {
  const desk = (await signingDesk(t, {
    connectors: (outgoing) => [createFileConnector({ name: 'file', path: outgoing, from: 'Haus <haus@example.org>' }), openConnector(settings, { secrets: { bot: botToken }, folder: '/', entranceOf: () => { throw new Error('none') } })],
    settings: { connectors: [settings] },
  }))!
  const { outbox, page, press, sees } = desk
  const check = async (state: string) => assert.deepEqual(await faultsOf(page), [], state)
  await desk.enter()

  const one = await outbox.freeze({ ...aMail, subject: 'One' })
  desk.changed()
  await page.locator('.acts').waitFor()
  await press('l')
  await sees('Approve, to leave later')
  await check('later')
  const zone = await page.evaluate('Intl.DateTimeFormat().resolvedOptions().timeZone') as string
  assert.equal(zone, 'UTC', 'what is filled in below is meant so')
  await page.locator('dialog input[type=datetime-local]').fill('2026-03-01T09:00')
  await sees('That has passed.')
  await page.locator('dialog input[type=datetime-local]').fill('2026-03-04T09:00')
  await sees('2026-03-04T09:00:00.000Z')
  await press('Enter')
  await sees(/Approved\. It leaves at/)
  await page.locator('.row[data-state="held"]').waitFor()
  const [held] = await successors(desk, [one.id])
  assert.deepEqual([held!.state, held!.not_before], ['held', new Date('2026-03-04T09:00:00.000Z')])
  assert.equal((await findDraft(outbox.database.owner.pool, one.id))!.state, 'replaced')

  const several = [await outbox.freeze({ ...aMail, subject: 'Two' }), await outbox.freeze({ ...aMail, subject: 'Three' })]
  desk.changed()
  await page.locator('.row[data-state="waiting"]').nth(1).waitFor()
  for (const { id } of several) await page.locator(`.row[data-id="${id}"] input`).check()
  await press('A')
  await page.locator('dialog input[type=number]').fill('2')
  await page.locator('dialog input[type=datetime-local]').fill('2026-03-05T23:00')
  await check('one every two hours')
  await page.locator('dialog').getByRole('button', { name: 'Approve 2' }).click()
  await sees('2 approved, each by its own hash.')
  const apart = await successors(desk, several.map(({ id }) => id))
  assert.deepEqual(apart.map(({ state, not_before: at }) => [state, (at.getTime() - Date.parse('2026-03-05T23:00:00.000Z')) / hour]), [['held', 0], ['held', 2]])

  const { draft: order } = await proposeOrder(outbox.deps, { name: 'to-me', kind: 'telegram.message', connector: 'me', per_day: 3, expires_at: null })
  desk.changed()
  await page.locator(`.row[data-id="${order}"] .row-link`).click()
  for (const words of ['as the order to-me', 'Send messages to the chat 4711', 'At most: 3 a day', 'castellan order revoke to-me']) await page.locator('.draft-pane', { hasText: words }).waitFor()
  await check('an order')
  await page.getByRole('button', { name: 'Approve with passkey' }).click()
  await page.locator(`.row[data-id="${order}"][data-state="held"]`).waitFor()
  await desk.release()
  assert.deepEqual((await outbox.database.owner.pool.query('select name, per_day from standing_order')).rows, [{ name: 'to-me', per_day: 3 }])

  await outbox.database.as('castellan_releaser').pool.query('select outbox_fence(gen_random_uuid(), $1, $2)', [outbox.clock.now(), 'the database is a copy from before'])
  desk.changed()
  await sees(/Nothing leaves since/)
  await sees(/3 signed drafts are held/)
  await check('fenced')
  await page.getByRole('button', { name: 'Look at what would leave' }).click()
  await page.locator('.draft-pane', { hasText: '3 signed drafts will leave then' }).waitFor()
  await sees(/A draft waits for your passkey/)
  await page.getByRole('button', { name: 'Approve with passkey' }).click()
  await page.locator('.row[data-state="held"]', { hasText: 'leave again' }).waitFor()
  await desk.release()
  await page.locator('.fence').waitFor({ state: 'detached' })
})
