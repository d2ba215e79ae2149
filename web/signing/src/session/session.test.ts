import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Refusal } from '../releaser/call.ts'

/** What is used here of modules that speak of a browser, whose types the tests have not. */
interface Page {
  readonly standing: { get(): { readonly at: string; readonly why?: string } }
  readonly client: { outbox(): Promise<unknown> }
  begin(): Promise<void>
  lock(): Promise<void>
}
const load = <T>(path: string) => import(new URL(path, import.meta.url).href) as Promise<T>
const { createSession } = await load<{ createSession(deps: object): Page }>('session.ts')
const { newSessionKey } = await load<{ newSessionKey(): Promise<object> }>('../keys/session-key.ts')

const origin = 'http://localhost:7401'
const expiresAt = '2999-01-01T00:00:00.000Z'
const over = () => Response.json({ ok: false, error: { code: 'session.over', message: 'the session is over' } }, { status: 401 })

/** A page that is in, whose releaser answers everything with `session.over` from now on, and whose browser forgets its key when it is let. */
async function signedIn(t: TestContext) {
  const kept = { ...(await newSessionKey()), keyId: 'k', expiresAt }
  const forgetting = Promise.withResolvers<undefined>()
  let known = true
  const door = {
    house: async () => ({ now: new Date().toISOString(), sign_origin: origin, enrolled: true }),
    resumeChallenge: async () => ({ challenge: '00'.repeat(32) }),
    resume: async () => {
      if (!known) throw new Refusal('session.over', 'the session is over')
      return { token: 't', key_id: 'k', expires_at: expiresAt }
    },
  }
  t.mock.method(globalThis, 'fetch', async () => over())
  Object.assign(globalThis, { location: { origin } })
  t.after(() => Reflect.deleteProperty(globalThis, 'location'))
  const session = createSession({ door, tabs: { tell() {}, hear() {} }, keys: { read: async () => kept, keep: async () => {}, forget: () => forgetting.promise } })
  await session.begin()
  assert.equal(session.standing.get().at, 'in')
  const why = () => session.standing.get().why
  return { session, why, forgets: () => forgetting.resolve(undefined), ends: () => (known = false) }
}

test('a page that is locked says so, whatever it is told of what was still under way', async (t) => {
  const { session, why, forgets, ends } = await signedIn(t)
  ends()
  const locking = session.lock()
  const asked = session.client.outbox()
  forgets()
  await locking
  await assert.rejects(asked, { code: 'session.over' })
  assert.equal(why(), 'locked')
  await assert.rejects(session.client.outbox(), { code: 'session.over' })
  assert.equal(why(), 'locked')
})

test('an answer that comes after the page was locked does not open it again', async (t) => {
  const { session, why, forgets } = await signedIn(t)
  const asked = session.client.outbox()
  const locking = session.lock()
  forgets()
  await locking
  await assert.rejects(asked, { code: 'session.over' })
  assert.equal(why(), 'locked')
})

test('a session that the releaser ended is over', async (t) => {
  const { session, why, forgets, ends } = await signedIn(t)
  ends()
  forgets()
  await assert.rejects(session.client.outbox(), { code: 'session.over' })
  assert.equal(why(), 'over')
})
