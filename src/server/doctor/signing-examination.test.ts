import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { enrolTestPasskey } from '../../../test/support/authenticator.ts'
import { servedSigning } from '../../../test/support/signing-app.ts'
import { signingExamination } from './signing-examination.ts'

test('a page that answers at its address is well, with and without a passkey', async (t) => {
  const { outbox, site } = await servedSigning(t)
  const examination = signingExamination({ site: () => site, port: Number(new URL(site.origin).port) })
  assert.deepEqual(await examination.look(), [{ status: 'ok', what: `${site.origin} answers` }])
  await enrolTestPasskey(outbox.deps)
  assert.deepEqual(await examination.look(), [{ status: 'ok', what: `${site.origin} answers` }, { status: 'ok', what: 'a passkey is enrolled for localhost' }])
})

test('passkeys that were enrolled for another name are said not to work here', async (t) => {
  const { outbox, site } = await servedSigning(t)
  await enrolTestPasskey({ ...outbox.deps, site: () => ({ origin: 'https://old.example', rpId: 'old.example' }) })
  const found = await signingExamination({ site: () => site, port: Number(new URL(site.origin).port) }).look()
  assert.deepEqual([found].flat()[1], { status: 'fail', what: 'passkeys enrolled for old.example do not work at localhost', mend: 'castellan operator enroll --passkey' })
})

test('an address where nobody, or somebody else, answers is found; so is a page that does not run', async (t) => {
  const [here, other] = [await servedSigning(t), await servedSigning(t)]
  const port = Number(new URL(here.site.origin).port)
  const look = async (origin: string, at = port) => [await signingExamination({ site: () => ({ origin, rpId: 'localhost' }), port: at }).look()].flat()[0]!
  assert.match((await look('https://castellan.example')).what, /drafts are signed at .*, and the house says https:\/\/castellan\.example/)
  assert.equal((await look('http://localhost:1', 1)).status, 'fail')
  assert.equal((await look(other.site.origin)).status, 'warn')
  const [mine, foreign] = [await statePage(t), await statePage(t)]
  const state = { sign_origin: foreign.origin, rp_id: 'localhost', enrolled: false, enrolled_for: [] }
  mine.answer({ ...state, releaser: 'mine' })
  foreign.answer({ ...state, releaser: 'foreign' })
  assert.deepEqual(await look(foreign.origin, mine.port), { status: 'fail', what: `at ${foreign.origin} something else answers than this releaser` })
  assert.deepEqual(await look('http://x', 0), { status: 'ok', what: 'the page is on any free port, so it was not asked' })
})

/** Answers as a page would that says this of itself. */
async function statePage(t: TestContext) {
  let said: object = {}
  const server = createServer((_request, response) => void response.end(JSON.stringify({ ok: true, data: said })))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { port, origin: `http://localhost:${port}`, answer: (state: object) => void (said = state) }
}
