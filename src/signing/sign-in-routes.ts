import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../kernel/clock.ts'
import { assertionSchema, type OperatorKeys, type Site } from '../outbox/index.ts'
import type { Attempts } from './attempts.ts'
import { enrolPasskey, registrationOptions, registrationSchema } from './enrol-passkey.ts'
import type { EnrolmentCodes } from './enrolment-codes.ts'
import { createSessions } from './open-session.ts'
import { parseRequest } from '../outbox/index.ts'
import type { Tokens } from './tokens.ts'

export interface SignInDeps {
  readonly keys: OperatorKeys
  readonly clock: Clock
  readonly tokens: Tokens
  readonly codes: EnrolmentCodes
  readonly attempts: Attempts
  readonly site: () => Site
  /** What the operator calls his house. */
  readonly house: () => string
  /** Tells this releaser from every other, so that who asks at the address of the page knows whether it answered. */
  readonly releaser: string
  audit(kind: string, subject: string, detail: Readonly<Record<string, unknown>>): Promise<void>
}

const bodyLimit = 64 * 1024
const code = z.string().min(1).max(40)
const name = z.string().trim().max(100).default('')
const publicKey = z.base64().max(200)
const keyId = z.string().max(100)
const optionsBody = z.object({ code, name })
const enrolBody = z.object({ code, name, response: registrationSchema })
const offerBody = z.object({ public_key: publicKey })
const openBody = z.object({ session: z.string().max(2000), response: assertionSchema })
const challengeBody = z.object({ key_id: keyId })
const resumeBody = z.object({ key_id: keyId, challenge: z.string().regex(/^[0-9a-f]{64}$/), signature: z.base64().max(200) })

/** What answers without a session: how one is opened. Tries that fail are counted together. */
export function signInRoutes(app: FastifyInstance, deps: SignInDeps): void {
  const { keys, clock, codes, site, attempts } = deps
  const sessions = createSessions(deps)
  const post = <T>(path: string, schema: z.ZodType<T>, work: (body: T) => Promise<unknown>) =>
    app.post(path, { bodyLimit }, async (request) => {
      const body = parseRequest(schema, request.body)
      return { ok: true, data: await attempts.attempt(() => work(body)) }
    })

  app.get('/api/state', async () => {
    const { origin, rpId } = site()
    const live = (await keys.list()).filter((key) => key.revoked_at === null)
    const passkeys = live.filter((key) => key.kind === 'passkey')
    const elsewhere = new Set(passkeys.map((key) => key.rp_id).filter((name) => name !== rpId))
    return {
      ok: true,
      data: {
        house: deps.house(), releaser: deps.releaser, sign_origin: origin, rp_id: rpId, now: clock.now(),
        enrolled: passkeys.some((key) => key.rp_id === rpId),
        // passkeys that were enrolled for another name do not work here
        enrolled_for: [...elsewhere],
        terminal_key: live.some((key) => key.kind === 'ed25519' && key.scope === 'operator'),
      },
    }
  })

  post('/api/enrol/options', optionsBody, async ({ code, name }) => {
    const { options, challenge } = await registrationOptions(keys, site(), { house: deps.house(), name: name || 'operator' })
    const begun = codes.begin(code, challenge)
    const called = begun.name ?? options.user.name
    return { options: { ...options, user: { ...options.user, name: called, displayName: called } } }
  })

  post('/api/enrol', enrolBody, async ({ code, name, response }) => {
    const key = await codes.use(code, (challenge, chosen) => enrolPasskey(keys, site(), response, { challenge, name: chosen ?? (name || 'passkey'), now: clock.now() }))
    await deps.audit('key.enrolled', key.id, { kind: key.kind, scope: 'operator', name: key.name, rp_id: key.rp_id, credential: key.credential_id, public_key: key.public_key })
    return { key_id: key.id, name: key.name }
  })

  post('/api/session/options', offerBody, ({ public_key }) => sessions.offer(public_key))

  post('/api/session', openBody, async ({ session, response }) => {
    const { opened, key } = await sessions.open(session, response)
    // sealed with the rest: what this key signs can be verified when the releaser has long forgotten it
    await deps.audit('session.opened', key.id, { passkey: key.passkey, until: key.until, session: key.document, assertion: key.assertion })
    return opened
  })

  post('/api/session/challenge', challengeBody, async ({ key_id }) => sessions.challenge(key_id))

  post('/api/session/resume', resumeBody, ({ key_id, challenge, signature }) => sessions.resume(key_id, challenge, signature))
}
