import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutChromium } from './support/chromium.ts'
import { aMail } from './support/outbox.ts'
import { faultsOf, signingDesk } from './support/signing-desk.ts'

const skip = withoutChromium
const long = 'https://example.org/a/very/long/address/that/has/no/place/to/break?token=0123456789abcdef0123456789abcdef0123456789abcdef'

test('axe finds nothing before the door: not enrolled, enrolling, a session that is over, refused, locked, another address, unreachable', { skip }, async (t) => {
  const desk = (await signingDesk(t))!
  const { page, sees } = desk
  const check = async (state: string) => assert.deepEqual(await faultsOf(page), [], state)
  await page.goto(desk.site.origin)
  await sees('No passkey may sign here yet')
  await check('not enrolled')
  await page.goto(`${desk.site.origin}/#enrol=WRONG-CODE`)
  await sees('Enrol a passkey of this device')
  await check('enrolling')
  await desk.press('Enter')
  await page.getByRole('alert').waitFor()
  await check('a code that is none')
  await desk.enter()
  desk.outbox.clock.advance(9 * 3_600_000)
  desk.changed()
  await sees('The session is over')
  await check('the session is over')
  await desk.device.verifyUser(false)
  await page.getByRole('button', { name: 'Use passkey' }).press('Enter')
  await page.getByRole('alert').or(page.locator('.alert')).first().waitFor()
  await check('the passkey was not used')
  await page.route('**/api/session/options', (route) => route.fulfill({ status: 429, json: { ok: false, error: { code: 'signin.locked', message: 'Five tries failed; wait five minutes.' } } }))
  await page.getByRole('button', { name: 'Use passkey' }).click()
  await sees('Five tries failed')
  await check('the door is locked')
  await page.goto(desk.site.origin.replace('localhost', '127.0.0.1'))
  await sees('Drafts are signed at another address')
  await check('at another address')
  await page.goto(desk.site.origin)
  await page.route('**/api/state', (route) => route.abort())
  await page.reload()
  await sees('The house does not answer')
  await check('unreachable')
})

test('axe finds nothing at the desk: loading, empty, list, a draft, dialogs, edit, changed, selected', { skip }, async (t) => {
  const desk = (await signingDesk(t))!
  const { outbox, page, press, sees } = desk
  const check = async (state: string) => assert.deepEqual(await faultsOf(page), [], state)
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  await page.route('**/api/drafts?*', async (route) => {
    await held
    await route.continue()
  })
  await desk.enter()
  await sees('The drafts are being fetched.')
  await check('loading')
  release()
  await sees('Nothing waits for you')
  await check('empty')
  await page.unroute('**/api/drafts?*')

  await outbox.freeze({
    ...aMail, subject: `Rechnung ${'Donaudampfschifffahrtsgesellschaft'.repeat(3)}`, text: `IBAN\u200b DE02\t${long}\n`, cc: ['cc@example.org'], bcc: ['Hidden <hidden@example.org>'],
    attachments: [{ name: `${'plan'.repeat(30)}.pdf`, type: 'application/pdf', content: Buffer.from('plan').toString('base64') }],
  })
  await outbox.freeze({ ...aMail, subject: 'Plain' })
  desk.changed()
  await page.locator('.row').nth(1).waitFor()
  await page.locator('.acts').waitFor()
  await check('list')
  await press('Enter')
  await page.locator('summary', { hasText: 'What is signed' }).click()
  await sees('Headers of the bytes')
  await check('a draft that is read')
  for (const [key, title] of [['r', 'Reject: it will not leave'], ['h', 'Snooze'], ['?', 'Keys']] as const) {
    await press(key)
    await sees(title)
    await check(title)
    await press('Escape')
  }
  await press('e')
  await page.locator('.edit').waitFor()
  await check('edit')
  await page.locator('.edit textarea.mono').fill('Another text')
  await press('Control+Enter')
  await page.locator('ins').first().waitFor()
  await check('changed')
  await press('Escape', 'Home', 'x', 'j', 'x')
  await check('selected')
})

test('axe finds nothing afterwards: together, held, unknown, history, what cannot be opened, offline', { skip }, async (t) => {
  const desk = (await signingDesk(t))!
  const { outbox, page, press, sees } = desk
  const check = async (state: string) => assert.deepEqual(await faultsOf(page), [], state)
  await desk.enter()
  const [plain, risky] = [await outbox.freeze({ ...aMail, subject: 'Plain' }), await outbox.freeze({ ...aMail, subject: 'Risky', text: 'IBAN' })]
  desk.changed()
  await page.locator('.row').nth(1).waitFor()
  await press('Home', 'x', 'j', 'x')
  await press('A')
  await page.locator('dialog').waitFor()
  await check('together')
  await press('Enter')
  await page.locator('.row[data-state="held"]').first().waitFor()
  await check('held')
  await outbox.database.owner.pool.query(`update draft set reason = 'not sent yet, tried again at noon: the server answered 451' where id = $1`, [plain.id])
  desk.changed()
  await press('Home', 'j')
  await sees(/the server answered 451/)

  await outbox.database.owner.pool.query(`update draft set state = 'unknown', reason = 'the connection was lost after the last byte', closed_at = null where id = $1`, [plain.id])
  desk.changed()
  await page.locator('.row[data-state="unknown"]').first().waitFor()
  await press('Home')
  await sees('Did it arrive?')
  await check('unknown')
  await page.getByRole('button', { name: 'It arrived' }).click()
  await page.locator('.row[data-state="unknown"]').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'History' }).click()
  await page.locator('.row[data-state="released"]').waitFor()
  await sees('It left the house, once')
  await page.locator('.history', { hasText: 'the operator looked: it arrived' }).waitFor()
  await check('history')

  await page.route('**/api/drafts/*', (route) => route.fulfill({ status: 503, json: { ok: false, error: { code: 'database.gone', message: 'The database does not answer; it is being started.' } } }))
  await page.goto(`${desk.site.origin}/#draft=${risky.id}`)
  await page.reload()
  await sees('This draft could not be opened')
  await check('a draft that cannot be opened')
  await desk.context.setOffline(true)
  desk.changed()
  await sees('What stands here may be old.')
  await check('offline')
})
