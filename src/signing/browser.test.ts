import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createHash, X509Certificate } from 'node:crypto'
import { createServer, request } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { makeCertificate } from '../../test/support/certificate.ts'
import { addPasskeyDevice, openBrowser, withoutChromium } from '../../test/support/chromium.ts'
import { aMail } from '../../test/support/outbox.ts'
import { proxyToken, servedSigning, type Answer, type ServedSigning } from '../../test/support/signing-app.ts'
import { tokenHeader } from '../kernel/exposure.ts'

const skip = withoutChromium
const verbs = readFileSync(join(import.meta.dirname, '../../test/support/signing-page.js'), 'utf8')

/** Calls one of the verbs in the page. */
function inPage<T = Answer>(page: Page, verb: string, ...args: readonly unknown[]): Promise<T> {
  return page.evaluate(`castellan.${verb}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`)
}

/** The page with a passkey that is enrolled and a session that is open. */
async function signedIn(t: TestContext, { args = [], served: given }: { args?: readonly string[]; served?: ServedSigning } = {}) {
  const served = given ?? (await servedSigning(t))
  const browser = (await openBrowser(t, { args }))!
  const page = await browser.newPage()
  const device = await addPasskeyDevice(page)
  await page.goto(served.site.origin)
  assert.equal(await page.title(), 'Loaded')
  await page.evaluate(verbs)
  const enrolled = await inPage(page, 'enrol', served.codes.issue('Desk').code)
  const opened = await inPage(page, 'open')
  assert.deepEqual([enrolled.status, enrolled.data.name, opened.status], [200, 'Desk', 200])
  return { ...served, browser, page, device, token: opened.data.token as string }
}

test('in a real browser a passkey is enrolled, opens a session, and both sign drafts that are released', { skip }, async (t) => {
  const { outbox, page, release } = await signedIn(t)
  const [small, big] = [await outbox.freeze(), await outbox.freeze({ ...aMail, text: 'IBAN' })]
  assert.equal((await inPage(page, 'signByKey', small.id)).data.state, 'held')
  const { status, error } = await inPage(page, 'signByKey', big.id)
  assert.deepEqual([status, error!.code], [403, 'draft.passkey_needed'])
  assert.equal((await inPage(page, 'signByPasskey', big.id)).data.state, 'held')
  assert.equal(await inPage<string>(page, 'exportKey'), 'InvalidAccessError')
  assert.equal(await release(), 2)
})

test('a device that does not verify its owner signs nothing, however the page asks', { skip }, async (t) => {
  const { outbox, page, device } = await signedIn(t)
  const draft = await outbox.freeze()
  await device.verifyUser(false)
  const { status, error } = await inPage(page, 'signByPasskey', draft.id, { userVerification: 'discouraged' })
  assert.deepEqual([status, error!.code], [403, 'passkey.assertion'])
  assert.equal((await outbox.draft(draft.id)).state, 'waiting')
})

test('a page of another origin, even with token and passkey, can neither read, decide nor frame', { skip }, async (t) => {
  const elsewhere = createServer((_request, response) => void response.setHeader('content-type', 'text/html').end('<!doctype html><title>Elsewhere</title>'))
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  t.after(() => elsewhere.close())
  const strange = `http://localhost:${(elsewhere.address() as AddressInfo).port}`
  const { outbox, page, site, token, call } = await signedIn(t)
  const draft = await outbox.freeze()

  await page.goto(strange)
  await page.evaluate(verbs)
  assert.deepEqual(await inPage<object>(page, 'tryFrom', site.origin, draft.id, token), { read: 'TypeError', decide: 'TypeError', simple: 'TypeError' })
  const framed = await page.frames()[1]!.evaluate('document.title')
  assert(framed !== 'Loaded' && framed !== 'Sign', String(framed))

  // the same name has the same passkeys on every port: what it signs says where it was signed
  const shown = (await call('GET', `/api/drafts/${draft.id}`, { token })).data
  const { data } = await call('POST', `/api/drafts/${draft.id}/passkey`, { token, body: { challenge: shown.challenge } })
  const passkey = await inPage<object>(page, 'touch', data.options)
  const refused = await call('POST', `/api/drafts/${draft.id}/decide`, { token, body: { verdict: 'approve', challenge: shown.challenge, passkey } })
  assert.deepEqual([refused.status, refused.error!.code], [403, 'passkey.assertion'])
  assert(refused.error!.message.includes(`origin "${strange}"`), refused.error!.message)
  assert.equal((await outbox.draft(draft.id)).state, 'waiting')
})

test('a name that was made to point at the page gets nothing from it', { skip }, async (t) => {
  const { browser, site } = await signedIn(t, { args: ['--host-resolver-rules=MAP evil.example 127.0.0.1'] })
  const page = await browser.newPage()
  for (const path of ['/', '/api/state']) {
    const answer = (await page.goto(`http://evil.example:${new URL(site.origin).port}${path}`))!
    assert.equal(answer.status(), 403)
    assert.match(await answer.text(), /host\.unknown/)
  }
})

test('behind a proxy that speaks HTTPS on a name of the mesh, everything is signed at that name and nowhere else', { skip }, async (t) => {
  const name = 'castellan.mesh.example'
  const { key, certificate } = makeCertificate(`DNS:${name}`)
  const served = await servedSigning(t)
  // hands on Host and Origin as they came, and shows the service token, as Caddy does
  const proxy = createSecureServer({ key, cert: certificate }, (asked, answer) => {
    asked.pipe(request({ host: '127.0.0.1', port: served.port, method: asked.method, path: asked.url, headers: { ...asked.headers, [tokenHeader]: proxyToken } }, (got) => {
      answer.writeHead(got.statusCode!, got.headers)
      got.pipe(answer)
    }))
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.after(() => proxy.close())
  const site = { origin: `https://${name}:${(proxy.address() as AddressInfo).port}`, rpId: name }
  served.moveTo(site)
  // browsers let nobody sign behind a certificate that is wrong: this one is known to it by its key
  const known = createHash('sha256').update(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })).digest('base64')
  const args = [`--host-resolver-rules=MAP ${name} 127.0.0.1`, `--ignore-certificate-errors-spki-list=${known}`]
  const { outbox, page, release } = await signedIn(t, { args, served: { ...served, site } })
  const [small, big] = [await outbox.freeze(), await outbox.freeze({ ...aMail, text: 'IBAN' })]
  assert.equal((await inPage(page, 'signByKey', small.id)).data.state, 'held')
  assert.equal((await inPage(page, 'signByPasskey', big.id)).data.state, 'held')
  assert.equal(await release(), 2)

  const here = await served.call('POST', '/api/session/challenge', { body: { key_id: 'x' } })
  assert.equal(here.status, 200)
  const atDesk = await served.call('POST', '/api/session/challenge', { body: { key_id: 'x' }, headers: { origin: served.site.origin } })
  assert.deepEqual([atDesk.status, atDesk.error!.code], [403, 'origin.unknown'])
})
