import assert from 'node:assert/strict'
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFilesConnector } from '../src/outbox/connectors/files/files.ts'
import { createWebhookConnector } from '../src/outbox/connectors/webhook.ts'
import { sha256 } from '../src/outbox/document.ts'
import { withoutChromium } from './support/chromium.ts'
import { startHttpReceiver } from './support/http-receiver.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { faultsOf, signingDesk } from './support/signing-desk.ts'

test('a notice and a deletion are read whole on the page, signed there, and done', { skip: withoutChromium }, async (t) => {
  const receiver = await startHttpReceiver(t)
  const path = realpathSync(temporaryFolder(t))
  mkdirSync(join(path, 'ops'))
  writeFileSync(join(path, 'ops', 'restore.sh'), 'x\n')
  const label = { level: 1, integrity: 'trusted', lanes: [] } as const
  const desk = (await signingDesk(t, { connectors: () => [
    createWebhookConnector({ name: 'hook', url: `${receiver.url}/in`, secret: { secret: 'hook', value: `whsec_${Buffer.alloc(32, 1).toString('base64')}` }, network: { isPrivate: true } }),
    createFilesConnector({ name: 'tidy', folders: [{ name: 'vault', path, label }] }),
  ] }))!
  const { outbox, page, press } = desk
  await desk.enter()
  const notice = await outbox.freeze({ body: { type: 'lead.new', name: 'Eva' } }, { kind: 'webhook', connector: 'hook', label })
  desk.changed()
  await page.locator('.row').first().waitFor()
  await press('Home')
  await page.locator('.acts').waitFor()
  const text = () => page.locator('.letter-text').textContent()
  assert.match((await text())!, new RegExp(`^Notify localhost:${receiver.port}: POST ${receiver.url}/in\\n`))
  assert.match((await text())!, /"name": "Eva"/)
  assert.equal(await page.getByRole('button', { name: 'Edit' }).isDisabled(), true)
  await press('e')
  await desk.sees('Only mail can be edited.')
  assert.deepEqual(await faultsOf(page), [])
  await press('a')
  await page.locator(`.row[data-id="${notice.id}"][data-state="held"]`).waitFor()

  const deletion = await outbox.freeze({ folder: 'vault', paths: ['ops'] }, { kind: 'files.delete', connector: 'tidy', label })
  assert(deletion.risk >= 8)
  desk.changed()
  await page.locator(`.row[data-id="${deletion.id}"]`).click()
  await page.locator('.draft-title', { hasText: 'Delete from vault: ops' }).waitFor()
  assert((await text())!.includes(`ops/restore.sh  2 bytes  sha256 ${sha256('x\n')}`))
  await page.getByRole('button', { name: 'Approve with passkey' }).click()
  await page.locator(`.row[data-id="${deletion.id}"][data-state="held"]`).waitFor()
  assert.equal(await desk.release(), 2)
  assert.deepEqual([receiver.received.map(({ body }) => body.toString()), existsSync(join(path, 'ops'))], [['{"name":"Eva","type":"lead.new"}'], false])
})
