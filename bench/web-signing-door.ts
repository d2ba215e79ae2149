import { generateKeyPairSync } from 'node:crypto'
import { openPool } from '../src/kernel/http-pool.ts'
import { signChallenge } from '../src/outbox/signature.ts'
import { createAuthenticator } from '../test/support/authenticator.ts'
import type { RunningHouse } from '../test/support/running-house.ts'

export interface SigningDoor {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
  /** By the key of the session, as the page adds it to an approval. */
  sign(challenge: Uint8Array): { key_id: string; signature: string }
  close(): Promise<void>
}

export interface Enrolment { readonly code: string; readonly link: string; readonly sign_origin: string; readonly rp_id: string }

/** Signs in to the signing page of a house as a browser does: a passkey is enrolled with a code of the terminal, and vouches for a session key. */
export async function openSigningDoor(house: RunningHouse): Promise<SigningDoor> {
  const { code, sign_origin: origin, rp_id: rpId } = await house.call<Enrolment>('releaser', 'POST', '/enrolments', { name: 'bench' })
  const pool = openPool(`http://127.0.0.1:${new URL(origin).port}`, { connections: 1 })
  const held: { token?: string } = {}
  const call = async <T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> => {
    const headers = {
      host: new URL(origin).host, ...(held.token !== undefined && { authorization: `Bearer ${held.token}` }), ...(body !== undefined && { origin, 'content-type': 'application/json' }),
    }
    const answer = await pool.request({ method, path, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const { ok, data, error } = (await answer.body.json()) as { ok: boolean; data: T; error?: { message: string } }
    if (!ok) throw new Error(`${method} ${path}: ${error!.message}`)
    return data
  }
  const post = <T>(path: string, body: unknown) => call<T>('POST', path, body)
  const device = createAuthenticator({ origin, rpId })
  const enrol = await post<{ options: { challenge: string } }>('/api/enrol/options', { code, name: '' })
  await post('/api/enrol', { code, name: '', response: device.register(Buffer.from(enrol.options.challenge, 'base64url')) })
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const offered = await post<{ session: string; options: { challenge: string } }>('/api/session/options', { public_key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') })
  const opened = await post<{ token: string; key_id: string }>('/api/session', { session: offered.session, response: device.sign(Buffer.from(offered.options.challenge, 'base64url')) })
  held.token = opened.token
  return {
    get: (path) => call('GET', path),
    post,
    sign: (challenge) => ({ key_id: opened.key_id, signature: signChallenge(privateKey, challenge) }),
    close: () => pool.close(),
  }
}
