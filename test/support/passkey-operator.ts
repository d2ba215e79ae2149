import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createAuthenticator } from './authenticator.ts'
import type { RunningHouse } from './running-house.ts'

/** An operator with a passkey at the signing page of a running house, as his browser would ask it. `origin`: of the page. Resolves with how he signs a draft. */
export async function passkeyOperator(house: RunningHouse, origin: string): Promise<(draft: string) => Promise<void>> {
  const device = createAuthenticator({ origin, rpId: new URL(origin).hostname })
  async function ask<T>(path: string, body: unknown, token?: string): Promise<T> {
    const answer = await fetch(`${origin}${path}`, {
      method: 'POST', headers: { origin, 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) }, body: JSON.stringify(body),
    })
    const { ok, data, error } = (await answer.json()) as { ok: boolean; data: T; error?: object }
    assert.ok(ok, `${path}: ${JSON.stringify(error)}`)
    return data
  }
  const challengeOf = ({ options }: { options: { challenge: string } }) => Buffer.from(options.challenge, 'base64url')

  const { code } = await house.call<{ code: string }>('releaser', 'POST', '/enrolments', {})
  await ask('/api/enrol', { code, name: 'phone', response: device.register(challengeOf(await ask('/api/enrol/options', { code, name: 'phone' }))) })
  const { publicKey } = generateKeyPairSync('ed25519')
  const offered = await ask<{ session: string; options: { challenge: string } }>('/api/session/options', { public_key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') })
  const { token } = await ask<{ token: string }>('/api/session', { session: offered.session, response: device.sign(challengeOf(offered)) })

  return async (draft) => {
    const { challenge } = await house.call<{ challenge: string }>('releaser', 'GET', `/drafts/${draft}`)
    const passkey = device.sign(challengeOf(await ask(`/api/drafts/${draft}/passkey`, { challenge }, token)))
    await ask(`/api/drafts/${draft}/decide`, { verdict: 'approve', challenge, passkey }, token)
  }
}
