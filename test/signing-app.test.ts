import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { Draft } from '../src/outbox/draft.ts'
import { findDraft } from '../src/outbox/draft-queries.ts'
import { withoutChromium } from './support/chromium.ts'
import { aMail } from './support/outbox.ts'
import { signingDesk, type SigningDesk } from './support/signing-desk.ts'

const skip = withoutChromium
const mail = (subject: string, other: Record<string, unknown> = {}) => ({ ...aMail, subject, ...other })

/** Drafts as rows of the list, the one under the cursor first to be known. */
async function rows(desk: SigningDesk): Promise<string[]> {
  return desk.page.locator('.row').evaluateAll((rows) => rows.map((row) => `${row.querySelector('.row-title')!.textContent}: ${row.querySelector('.row-status')!.textContent}`))
}

/** Waits until the releaser, and not only the page, says so. */
async function becomes(desk: SigningDesk, id: string, state: Draft['state']): Promise<Draft> {
  await desk.page.locator(`.row[data-id="${id}"]:not([data-state="${state}"])`).waitFor({ state: 'detached' })
  const draft = (await findDraft(desk.outbox.database.owner.pool, id))!
  assert.equal(draft.state, state)
  return draft
}

async function pointAt(desk: SigningDesk, subject: string): Promise<void> {
  await desk.press('Home')
  for (let step = 0; step < 30; step += 1) {
    const title = await desk.page.locator('.row[data-cursor] .row-title').textContent()
    if (title === subject) break
    await desk.press('j')
  }
  await desk.page.locator('.draft-pane .draft-title', { hasText: subject }).waitFor()
  await desk.page.locator('.acts').waitFor()
}

test('by keyboard alone: enrol, sign in, approve, undo, edit, reject, snooze, approve together, sign by passkey, lock', { skip }, async (t) => {
  const desk = (await signingDesk(t))!
  const { outbox, page, press, sees } = desk
  await page.goto(desk.site.origin)
  await sees('npx castellan operator enroll --passkey')
  await desk.enter()
  assert.equal(new URL(page.url()).hash.includes('enrol'), false)
  await sees('Nothing waits for you')

  const drafts = new Map<string, Draft>()
  for (const subject of ['One', 'Two', 'Three', 'Four', 'Five', 'Six']) drafts.set(subject, await outbox.freeze(mail(subject)))
  drafts.set('Account', await outbox.freeze(mail('Account', { text: 'Our new IBAN is DE02 1203 0000 0000 2020 51. See bücher.example/pay', bcc: ['hidden@example.org'] })))
  desk.changed()
  await page.locator('.row').nth(6).waitFor()
  const idOf = (subject: string) => drafts.get(subject)!.id

  await pointAt(desk, 'One')
  await press('a')
  await becomes(desk, idOf('One'), 'held')
  await sees(/^Leaves in/)
  await press('u')
  await sees('Taken back. It waits again, under a new number.')
  await becomes(desk, idOf('One'), 'undone')
  await page.locator('.row[data-cursor][data-state="waiting"]', { hasText: 'frozen again' }).waitFor()

  await pointAt(desk, 'Two')
  await press('Enter', 'e')
  await page.locator('.edit textarea').first().waitFor()
  await press('Tab', 'Tab', 'Tab', 'Tab')
  await page.locator('.edit textarea.mono:focus').waitFor()
  await press('Control+End', 'Backspace', 'Backspace', 'Backspace', 'Backspace', 'Backspace', 'Backspace', 'Backspace')
  await page.keyboard.type('Dienstag.')
  await press('Control+Enter')
  await page.locator('ins', { hasText: 'Dienstag' }).waitFor()
  await becomes(desk, idOf('Two'), 'replaced')
  const edited = (await outbox.database.owner.pool.query<{ id: string; state: string }>('select id, state from draft where replaces = $1', [idOf('Two')])).rows[0]!
  assert.equal(edited.state, 'waiting')
  await press('a')
  await becomes(desk, edited.id, 'held')

  await press('Escape')
  await pointAt(desk, 'Three')
  await press('r')
  await page.locator('dialog input:focus').waitFor()
  await page.keyboard.type('Not this week')
  await press('Enter')
  await becomes(desk, idOf('Three'), 'denied')
  assert.equal((await outbox.database.owner.pool.query('select reason from decision where draft_id = $1', [idOf('Three')])).rows[0].reason, 'Not this week')

  await pointAt(desk, 'Four')
  await press('h')
  await page.locator('dialog button:focus', { hasText: '1 hour' }).waitFor()
  await press('Enter')
  await page.locator(`.row[data-id="${idOf('Four')}"]`).waitFor({ state: 'detached' })
  await becomes(desk, idOf('Four'), 'waiting')
  assert.match((await page.locator('.bar-view', { hasText: 'Snoozed' }).textContent())!, /1$/)

  for (const subject of ['Five', 'Six', 'Account']) {
    await pointAt(desk, subject)
    await press('x')
  }
  await press('A')
  await sees('Approve 2, each by its own hash')
  await sees('risk 7: takes the passkey, by itself')
  await press('Enter')
  await sees('2 approved, each by its own hash.')
  await becomes(desk, idOf('Five'), 'held')
  await becomes(desk, idOf('Six'), 'held')
  await becomes(desk, idOf('Account'), 'waiting')

  await pointAt(desk, 'Account')
  await sees('the others do not see this one')
  // no scheme, and letters of another alphabet: the program of who gets it makes a link of it all the same
  assert.deepEqual(await page.locator('.links li code').allTextContents(), ['bücher.example/pay', 'xn--bcher-kva.example/pay'])
  await press('a')
  await becomes(desk, idOf('Account'), 'held')
  const { rows: keys } = await outbox.database.owner.pool.query<{ key_id: string }>(`select key_id from decision where verdict = 'approve' and draft_id = any ($1)`, [[idOf('Account'), idOf('Five')]])
  assert.equal(new Set(keys.map(({ key_id }) => key_id.split(':')[0])).size, 2, 'one by the session key, one by the passkey itself')

  assert.equal(await desk.release(), 4)
  desk.changed()
  await sees('released')
  assert.equal(readdirSync(outbox.outgoing).length, 4)

  await press('?')
  await sees('approve what is selected, each by its own hash')
  await press('Shift+Tab', 'Space', 'Escape')
  await page.reload()
  await page.locator('.acts').waitFor()
  await press('r', 'e', 'x', 'a')
  assert.deepEqual([await page.locator('dialog, .edit, .selection').count(), await page.locator('.row[data-state="held"]').count()], [0, 0], 'letters that are switched off do nothing, after a reload too')
  await page.getByRole('button', { name: 'Lock' }).focus()
  await press('Enter')
  await sees('The session key of this browser was thrown away.')
  assert.equal(await page.locator('.row').count(), 0)
})

test('twenty drafts are read and approved by one key each', { skip }, async (t) => {
  const desk = (await signingDesk(t))!
  await desk.enter()
  for (let index = 0; index < 20; index += 1) await desk.outbox.freeze(mail(`Draft ${index}`))
  desk.changed()
  await desk.page.locator('.row').nth(19).waitFor()
  // the next one is there already when a key is pressed twice by mistake
  for (const key of ['j', 'k']) {
    await desk.press(key)
    await desk.page.locator('.acts .primary:enabled').waitFor()
  }
  await desk.page.evaluate(`for (const _ of [1, 2]) window.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }))`)
  await desk.sees('It has only just come up. Look at it, then approve.')
  await desk.page.locator('.row[data-state="held"]').first().waitFor()
  for (let left = 19; left > 0; left -= 1) {
    const id = (await desk.page.locator('.row[data-cursor]').getAttribute('data-id'))!
    await desk.page.locator('.acts .primary:enabled').waitFor()
    await desk.press('a')
    await desk.page.locator(`.row[data-id="${id}"][data-state="held"]`).waitFor()
  }
  assert.equal(await desk.release(), 20)
})

test('a draft that changes between the look and the key is not signed, and shown again with the difference', { skip }, async (t) => {
  const desk = (await signingDesk(t))!
  const draft = await desk.outbox.freeze(mail('Termin'))
  let isSwapped = false
  await desk.page.route(`**/api/drafts/${draft.id}`, async (route) => {
    if (isSwapped) return route.continue()
    const answer = await (await route.fetch()).json()
    const document = answer.data.document.replace('"Termin"', '"Treffen"')
    await route.fulfill({ json: { ...answer, data: { ...answer.data, document } } })
  })
  await desk.enter()
  await desk.page.locator('.draft-title', { hasText: 'Treffen' }).waitFor()
  isSwapped = true
  await desk.press('a')
  await desk.sees('This draft changed while it was shown. Nothing was signed.')
  await desk.page.locator('del', { hasText: 'Treffen' }).waitFor()
  await becomes(desk, draft.id, 'waiting')
  await desk.press('a')
  await desk.page.getByText('This draft changed while it was shown.').waitFor({ state: 'detached' })
  await becomes(desk, draft.id, 'waiting')
  await desk.press('a')
  await becomes(desk, draft.id, 'held')
})

test('bytes that the document does not name are not offered for signing', { skip }, async (t) => {
  const desk = (await signingDesk(t))!
  const draft = await desk.outbox.freeze(mail('Termin'))
  await desk.page.route(`**/api/drafts/${draft.id}`, async (route) => {
    const answer = await (await route.fetch()).json()
    const wire = Buffer.from(answer.data.wire, 'base64').toString().replace('Montag', 'Mittag')
    await route.fulfill({ json: { ...answer, data: { ...answer.data, wire: Buffer.from(wire).toString('base64') } } })
  })
  await desk.enter()
  await desk.sees('It cannot be signed')
  assert.equal(await desk.page.getByRole('button', { name: 'Approve' }).isDisabled(), true)
  await desk.press('a')
  await desk.sees(/the bytes are not those that the document names\.$/)
  await becomes(desk, draft.id, 'waiting')
})

test('a reload resumes without the passkey, two tabs show the same, and locking one closes both', { skip }, async (t) => {
  const desk = (await signingDesk(t))!
  await desk.enter()
  const draft = await desk.outbox.freeze(mail('Termin'))
  desk.changed()
  await desk.sees('Termin')
  const { signCount } = (await desk.device.credentials())[0]!
  await desk.page.reload()
  await desk.page.locator('.acts').waitFor()
  const other = await desk.context.newPage()
  await other.goto(desk.site.origin)
  await other.locator('.acts').waitFor()
  assert.equal((await desk.device.credentials())[0]!.signCount, signCount)
  await desk.press('a')
  await other.locator(`.row[data-id="${draft.id}"][data-state="held"]`).waitFor()
  assert.deepEqual((await rows(desk)).map((row) => row.split(' ')[0]), ['Termin:'])
  await other.getByRole('button', { name: 'Lock' }).click()
  await desk.sees('Use passkey')
})
