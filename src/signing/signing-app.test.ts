import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { createAuthenticator, type Authenticator } from '../../test/support/authenticator.ts'
import { aMail } from '../../test/support/outbox.ts'
import { servedSigning, type ServedSigning } from '../../test/support/signing-app.ts'
import { challengeOf, resumeChallenge } from '../outbox/index.ts'

interface SignedIn extends ServedSigning {
  readonly device: Authenticator
  readonly passkey: string
  readonly keyId: string
  readonly privateKey: KeyObject
  readonly token: string
}

const signChallenge = (key: KeyObject, challenge: Uint8Array) => sign(null, challenge, key).toString('base64')
const bytesOf = (options: { challenge: string }) => Buffer.from(options.challenge, 'base64url')

async function enrol(served: ServedSigning, name = 'Phone'): Promise<{ device: Authenticator; passkey: string }> {
  const device = createAuthenticator(served.site)
  const { code } = served.codes.issue(undefined)
  const { data } = await served.call('POST', '/api/enrol/options', { body: { code, name } })
  const enrolled = await served.call('POST', '/api/enrol', { body: { code, name, response: device.register(bytesOf(data.options)) } })
  assert.deepEqual([enrolled.status, enrolled.data.name], [200, name])
  return { device, passkey: enrolled.data.key_id }
}

async function signIn(t: TestContext): Promise<SignedIn> {
  const served = await servedSigning(t)
  const { device, passkey } = await enrol(served)
  return { ...served, device, passkey, ...(await open(served, device)) }
}

async function open(served: ServedSigning, device: Authenticator) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const public_key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const { data } = await served.call('POST', '/api/session/options', { body: { public_key } })
  const opened = await served.call('POST', '/api/session', { body: { session: data.session, response: device.sign(bytesOf(data.options)) } })
  assert.equal(opened.status, 200, opened.text)
  return { privateKey, keyId: opened.data.key_id as string, token: opened.data.token as string }
}

test('from a code of the terminal to a released draft: enrol, open a session, sign by session key and by passkey', async (t) => {
  const served = await servedSigning(t)
  assert.deepEqual((await served.call('GET', '/api/state')).data.enrolled, false)
  const { device, passkey } = await enrol(served)
  const { data: state } = await served.call('GET', '/api/state')
  assert.deepEqual([state.house, state.enrolled, state.sign_origin, state.rp_id, state.now], ['Test house', true, served.site.origin, 'localhost', served.outbox.clock.now().toISOString()])
  const { token, keyId, privateKey } = await open(served, device)

  const [small, big] = [await served.outbox.freeze(), await served.outbox.freeze({ ...aMail, text: 'IBAN' })]
  const { data: list } = await served.call('GET', '/api/drafts?state=waiting', { token })
  const maySign = new Map(list.map((draft: { id: string; session_may_sign: boolean }) => [draft.id, draft.session_may_sign]))
  assert.deepEqual([maySign.get(small.id), maySign.get(big.id), maySign.size], [true, false, 2])
  const { data: shown } = await served.call('GET', `/api/drafts/${small.id}`, { token })
  const { data: decided } = await served.call('POST', `/api/drafts/${small.id}/decide`, {
    token, body: { verdict: 'approve', challenge: shown.challenge, key_id: keyId, signature: signChallenge(privateKey, Buffer.from(shown.challenge, 'hex')) },
  })
  assert.deepEqual(decided, { outcome: 'decided', state: 'held', hold_until: '2026-03-02T09:00:10.000Z' })

  const challenge = challengeOf(big.document).toString('hex')
  const bySession = { verdict: 'approve', challenge, key_id: keyId, signature: signChallenge(privateKey, Buffer.from(challenge, 'hex')) }
  const refused = await served.call('POST', `/api/drafts/${big.id}/decide`, { token, body: bySession })
  assert.deepEqual([refused.status, refused.error!.code], [403, 'draft.passkey_needed'])
  const { data: asked } = await served.call('POST', `/api/drafts/${big.id}/passkey`, { token, body: { challenge } })
  assert.equal(bytesOf(asked.options).toString('hex'), challenge)
  assert.deepEqual([asked.options.userVerification, asked.options.rpId, asked.options.allowCredentials[0].id], ['required', 'localhost', device.credentialId])
  const signed = await served.call('POST', `/api/drafts/${big.id}/decide`, { token, body: { verdict: 'approve', challenge, passkey: device.sign(bytesOf(asked.options)) } })
  assert.equal(signed.data.state, 'held')
  assert.equal(served.decisions(), 2)

  assert.equal(await served.release(), 2)
  assert.deepEqual(await served.outbox.audited(passkey), ['key.enrolled'])
  assert.deepEqual(await served.outbox.audited(keyId), ['session.opened'])
})

test('the page is asked again after each change, and gets its answers under headers that let nothing else in', async (t) => {
  const { call } = await servedSigning(t)
  for (const path of ['/', '/api/state', '/api/drafts', '/nowhere', '/api/nowhere']) {
    const { headers } = await call('GET', path)
    const policy = String(headers['content-security-policy'])
    for (const rule of [`default-src 'none'`, `script-src 'self'`, `connect-src 'self'`, `frame-ancestors 'none'`, `form-action 'none'`, `base-uri 'none'`]) assert(policy.split('; ').includes(rule), `${path}: ${rule}`)
    assert(!policy.includes('unsafe'))
    assert.deepEqual(
      [headers['x-frame-options'], headers['x-content-type-options'], headers['referrer-policy'], headers['cross-origin-opener-policy'], headers['cross-origin-resource-policy'], headers['cache-control'], headers['set-cookie'], headers['access-control-allow-origin']],
      ['DENY', 'nosniff', 'no-referrer', 'same-origin', 'same-origin', 'no-store', undefined, undefined], path,
    )
  }
  const asset = await call('GET', '/assets/main-4f2a91c7.js')
  assert.deepEqual([asset.status, asset.headers['cache-control']], [200, 'public, max-age=31536000, immutable'])
  for (const path of ['/assets/../../operator-keys.json', '/%2e%2e/operator-keys.json', '/assets/']) assert.notEqual((await call('GET', path)).status, 200, path)
})

test('a name that was made to point here, another port of it, and another page get nothing', async (t) => {
  const { call, site, codes } = await signIn(t)
  const port = new URL(site.origin).port
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost', 'localhost:1', `localhost.evil.example:${port}`, `[::1]:${port}`, '']) {
    for (const path of ['/', '/api/state', '/assets/main-4f2a91c7.js']) {
      const { status, error } = await call('GET', path, { headers: { host } })
      if (host === '') assert(status === 400 || status === 403)
      else assert.deepEqual([status, error?.code], [403, 'host.unknown'], `${host} ${path}`)
    }
  }
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `LOCALHOST:${port}`]) assert.equal((await call('GET', '/api/state', { headers: { host } })).status, 200, host)
  const { code } = codes.issue('x')
  const forged: Record<string, string | undefined>[] = [
    { origin: undefined }, { origin: 'null' }, { origin: 'http://localhost:7400' }, { origin: 'http://localhost' }, { origin: `http://127.0.0.1:${port}` }, { origin: `https://localhost:${port}` }, { origin: `${site.origin}/` },
    { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'none' },
    { 'content-type': 'text/plain' }, { 'content-type': undefined }, { 'content-type': 'application/x-www-form-urlencoded' }, { 'content-type': 'text/plain; application/json' },
  ]
  for (const headers of forged) {
    const { status, error } = await call('POST', '/api/enrol/options', { body: { code, name: 'x' }, headers })
    assert.deepEqual([status, error?.code], [403, 'origin.unknown'], JSON.stringify(headers))
  }
  assert.equal((await call('GET', '/api/state', { headers: { 'sec-fetch-site': 'same-site' } })).status, 403)
  assert.equal((await call('POST', '/api/enrol/options', { body: { code, name: 'x' } })).status, 200)
})

test('without a token, with one of nobody, and after its end there is no answer; cookies are not looked at', async (t) => {
  const { call, token, outbox } = await signIn(t)
  const draft = await outbox.freeze()
  const paths = [['GET', '/api/drafts'], ['GET', `/api/drafts/${draft.id}`], ['POST', `/api/drafts/${draft.id}/decide`], ['POST', `/api/drafts/${draft.id}/undo`], ['POST', `/api/drafts/${draft.id}/passkey`], ['GET', '/api/changes'], ['DELETE', '/api/session']] as const
  for (const [method, path] of paths) {
    for (const [code, options] of [['session.missing', {}], ['session.missing', { headers: { cookie: `token=${token}` } }], ['session.missing', { token: 'short' }], ['session.over', { token: 'A'.repeat(43) }]] as const) {
      const { status, error } = await call(method, path, { ...options, ...(method === 'POST' && { body: { verdict: 'deny' } }) })
      assert.deepEqual([status, error?.code], [401, code], `${method} ${path}`)
    }
  }
  assert.equal((await outbox.draft(draft.id)).state, 'waiting')
  assert.equal((await call('DELETE', '/api/session', { token })).status, 200)
  assert.equal((await call('GET', '/api/drafts', { token })).error!.code, 'session.over')
})

test('a token ends with its eight hours, with its key and with its passkey, at the next request', async (t) => {
  const served = await signIn(t)
  const { call, outbox, device, passkey } = served
  outbox.clock.advance(8 * 3_600_000 - 1)
  assert.equal((await call('GET', '/api/drafts', { token: served.token })).status, 200)
  outbox.clock.advance(1)
  assert.equal((await call('GET', '/api/drafts', { token: served.token })).status, 401)
  const [second, third] = [await open(served, device), await open(served, device)]
  await outbox.deps.keys.revoke(second.keyId, outbox.clock.now())
  assert.equal((await call('GET', '/api/drafts', { token: second.token })).status, 401)
  assert.equal((await call('GET', '/api/drafts', { token: third.token })).status, 200)
  await outbox.deps.keys.revoke(passkey, outbox.clock.now())
  assert.equal((await call('GET', '/api/drafts', { token: third.token })).status, 401)
  assert.equal((await call('GET', '/api/state')).data.enrolled, false)
})

test('after a reload the session key brings a new token, by a challenge that counts once and for that key', async (t) => {
  const served = await signIn(t)
  const { call, outbox, keyId, privateKey, device } = served
  const ask = async (key_id: string) => (await call('POST', '/api/session/challenge', { body: { key_id } })).data.challenge as string
  const resume = (key_id: string, challenge: string, key = privateKey, over = resumeChallenge(Buffer.from(challenge, 'hex'))) =>
    call('POST', '/api/session/resume', { body: { key_id, challenge, signature: sign(null, over, key).toString('base64') } })
  const challenge = await ask(keyId)
  const back = await resume(keyId, challenge)
  assert.equal(back.status, 200)
  assert.notEqual(back.data.token, served.token)
  assert.equal((await call('GET', '/api/drafts', { token: back.data.token })).status, 200)
  assert.equal((await resume(keyId, challenge)).error!.code, 'session.proof')

  const other = await open(served, device)
  assert.equal((await resume(keyId, await ask(other.keyId))).error!.code, 'session.proof')
  assert.equal((await resume(keyId, await ask(keyId), other.privateKey)).error!.code, 'session.proof')
  const old = await ask(keyId)
  outbox.clock.advance(60_000)
  assert.equal((await resume(keyId, old)).error!.code, 'session.proof')
  outbox.clock.advance(5 * 60_000)
  await outbox.deps.keys.revoke(keyId, outbox.clock.now())
  assert.equal((await resume(keyId, await ask(keyId))).status, 401)
})

test('a session that was not offered, was altered, or was opened before is refused', async (t) => {
  const served = await signIn(t)
  const { call, device } = served
  const offer = async () => {
    const public_key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    return (await call('POST', '/api/session/options', { body: { public_key } })).data as { options: { challenge: string }; session: string }
  }
  const { options, session } = await offer()
  const longer = session.replace(/"until":"[^"]*"/, '"until":"2027-01-01T00:00:00.000Z"')
  assert.equal((await call('POST', '/api/session', { body: { session: longer, response: device.sign(bytesOf(options)) } })).error!.code, 'session.document')
  const response = device.sign(bytesOf(options))
  assert.equal((await call('POST', '/api/session', { body: { session, response } })).status, 200)
  assert.equal((await call('POST', '/api/session', { body: { session, response } })).error!.code, 'session.document')
  const [one, two] = [await offer(), await offer()]
  assert.equal((await call('POST', '/api/session', { body: { session: one.session, response: device.sign(bytesOf(two.options)) } })).error!.code, 'passkey.assertion')
  assert.equal((await call('POST', '/api/session/options', { body: { public_key: 'AAAA' } })).error!.code, 'key.form')
})

test('after five failures within five minutes signing in is locked for five, and the audit says so; sessions go on', async (t) => {
  const { call, outbox, token, codes } = await signIn(t)
  const { code } = codes.issue('x')
  const wrong = () => call('POST', '/api/enrol/options', { body: { code: 'WRONG', name: 'x' } })
  const at = await Promise.all(Array.from({ length: 12 }, wrong))
  assert.deepEqual(new Set(at.map(({ status }) => status)), new Set([403, 429]))
  assert(at.filter(({ status }) => status === 403).length <= 5)
  for (let failed = at.filter(({ status }) => status === 403).length; failed < 5; failed += 1) await wrong()
  for (const [path, body] of [['/api/enrol/options', { code, name: 'x' }], ['/api/session/challenge', { key_id: 'x' }], ['/api/session/options', { public_key: 'AAAA' }]] as const) {
    const { status, error } = await call('POST', path, { body })
    assert.deepEqual([status, error!.code], [429, 'signin.locked'], path)
  }
  assert.deepEqual(await outbox.audited('signing'), ['signin.locked'])
  assert.equal((await call('GET', '/api/drafts', { token })).status, 200)
  outbox.clock.advance(5 * 60_000)
  assert.equal((await call('POST', '/api/session/challenge', { body: { key_id: 'x' } })).status, 200)
})

test('of two who decide, the second is told what the first did, and one who saw something else is shown it anew', async (t) => {
  const served = await signIn(t)
  const { call, token, outbox, keyId, privateKey, device } = served
  const [draft, other] = [await outbox.freeze(), await outbox.freeze()]
  const challenge = challengeOf(other.document).toString('hex')
  const stale = { verdict: 'approve', challenge, key_id: keyId, signature: signChallenge(privateKey, Buffer.from(challenge, 'hex')) }
  assert.deepEqual([(await call('POST', `/api/drafts/${draft.id}/decide`, { token, body: stale })).status, (await call('POST', `/api/drafts/${draft.id}/passkey`, { token, body: { challenge } })).error!.code], [409, 'draft.changed'])
  assert.equal((await call('POST', `/api/drafts/${draft.id}/decide`, { token, body: { verdict: 'deny', reason: 'no' } })).data.state, 'denied')
  const late = await call('POST', `/api/drafts/${draft.id}/decide`, { token, body: { verdict: 'deny' } })
  assert.deepEqual([late.status, late.error!.code, late.error!.details!.was], [409, 'draft.too_late', 'denied'])

  const second = await open(served, device)
  const own = { verdict: 'approve', challenge, key_id: second.keyId, signature: signChallenge(second.privateKey, Buffer.from(challenge, 'hex')) }
  assert.equal((await call('POST', `/api/drafts/${other.id}/decide`, { token, body: own })).error!.code, 'draft.key')
  assert.equal((await call('POST', `/api/drafts/${other.id}/decide`, { token: second.token, body: own })).data.state, 'held')
  assert.equal((await call('POST', `/api/drafts/${other.id}/undo`, { token, body: {} })).data.outcome, 'undone')
})

test('bodies that are too large, malformed or say two things at once are refused', async (t) => {
  const { call, token, outbox } = await signIn(t)
  const { id, document } = await outbox.freeze()
  const challenge = challengeOf(document).toString('hex')
  const decide = (body: unknown) => call('POST', `/api/drafts/${id}/decide`, { token, body })
  for (const body of ['{', '[]', '{"verdict":"approve"}', '{"__proto__":{}}', { verdict: 'maybe' }, { verdict: 'approve', challenge, key_id: 'x', signature: '!' }, { verdict: 'deny', challenge, key_id: 'x' }]) {
    assert.equal((await decide(body)).status, 400, JSON.stringify(body))
  }
  assert.equal((await decide({ verdict: 'deny', reason: 'x'.repeat(2001) })).status, 400)
  assert((await decide({ verdict: 'deny', reason: 'x'.repeat(2_000_000) })).status >= 400)
  assert((await call('POST', '/api/enrol/options', { body: { code: 'x'.repeat(70_000), name: 'x' } })).status >= 400)
  assert.equal((await outbox.draft(id)).state, 'waiting')
})

test('a page that waits for changes is answered when something happens', async (t) => {
  const { call, token, outbox, codes } = await signIn(t)
  const { id } = await outbox.freeze()
  const { version } = (await call('GET', '/api/changes?after=0', { token })).data
  const next = call('GET', `/api/changes?after=${version}`, { token })
  await call('POST', `/api/drafts/${id}/decide`, { token, body: { verdict: 'deny' } })
  assert((await next).data.version > version)
  assert.equal(codes.state('x').state, 'over')
})

test('an edit makes a new draft that is signed by itself, and a snoozed one leaves the usual list', async (t) => {
  const served = await signIn(t)
  const { call, token, outbox, keyId, privateKey } = served
  const { id } = await outbox.freeze()
  const { data: shown } = await call('GET', `/api/drafts/${id}`, { token })
  const edited = await call('POST', `/api/drafts/${id}/edit`, { token, body: { challenge: shown.challenge, recipients: shown.recipients, subject: shown.title, text: 'Lieber um 15:00.\n' } })
  assert.deepEqual([edited.status, edited.data.state, edited.data.replaces, edited.data.first.draft], [201, 'waiting', id, id])
  const decide = (draft: string, challenge: string) =>
    call('POST', `/api/drafts/${draft}/decide`, { token, body: { verdict: 'approve', challenge, key_id: keyId, signature: signChallenge(privateKey, Buffer.from(challenge, 'hex')) } })
  const late = await decide(id, shown.challenge)
  assert.deepEqual([late.status, late.error!.code, late.error!.details!.was], [409, 'draft.too_late', 'replaced'])

  const until = new Date(outbox.clock.now().getTime() + 60_000).toISOString()
  const list = async () => (await call('GET', '/api/drafts?state=waiting', { token })).data.map((draft: { id: string }) => draft.id)
  assert.deepEqual(await list(), [edited.data.id])
  assert.equal((await call('POST', `/api/drafts/${edited.data.id}/snooze`, { token, body: { until } })).status, 200)
  assert.deepEqual(await list(), [])
  assert.equal((await call('POST', `/api/drafts/${edited.data.id}/snooze`, { token, body: { until: null } })).status, 200)
  assert.deepEqual(await list(), [edited.data.id])
  assert.equal((await decide(edited.data.id, edited.data.challenge)).data.state, 'held')
  assert.equal(await served.release(), 1)
})
