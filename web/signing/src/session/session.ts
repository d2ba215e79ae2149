import { keptKey, type KeyStore } from '../keys/kept-key.ts'
import { passkeysWork, makePasskey, usePasskey } from '../keys/passkey.ts'
import { newSessionKey, resumeChallenge, sessionChallenge, signChallenge, type KeptKey } from '../keys/session-key.ts'
import type { House, SessionAnswer } from '../releaser/answers.ts'
import { Refusal } from '../releaser/call.ts'
import { createClient, type Client, type Door } from '../releaser/client.ts'
import { createStore } from '../look/store.ts'

/** Where this browser stands with the house. */
export type Standing =
  | { readonly at: 'asking' }
  | { readonly at: 'unreachable'; readonly problem: Refusal }
  | { readonly at: 'elsewhere'; readonly house: House }
  | { readonly at: 'enrolling'; readonly code: string; readonly house: House }
  | { readonly at: 'unenrolled'; readonly house: House }
  | { readonly at: 'out'; readonly house: House; readonly why: 'new' | 'over' | 'locked' | 'enrolled' }
  | { readonly at: 'in'; readonly house: House; readonly key: KeptKey; /** Of the releaser's clock against this one, in milliseconds. */ readonly skew: number }

/** The other tabs of this browser, which share its session key. */
export interface Tabs {
  tell(what: 'began' | 'ended'): void
  hear(listener: (what: unknown) => void): void
}

export interface SessionDeps {
  readonly door: Door
  readonly keys?: KeyStore
  readonly tabs: Tabs
}

/** The session of this browser: how it begins, comes back and ends. The token lives in this closure and nowhere else. */
export function createSession({ door, tabs, keys = keptKey }: SessionDeps) {
  const standing = createStore<Standing>({ at: 'asking' })
  let token: string | undefined
  let house: House | undefined
  let skew = 0
  let renewing: Promise<boolean> | undefined
  let ending: ReturnType<typeof setTimeout> | undefined
  let leaving: Promise<void> | undefined
  /** How often it was left: an answer to what was asked before that does not bring it back. */
  let departures = 0

  async function begin(code?: string): Promise<void> {
    // who looks at "does not answer" is not shown another page for each new try
    if (standing.get().at !== 'unreachable') standing.set({ at: 'asking' })
    try {
      house = await door.house()
      skew = Date.parse(house.now) - Date.now()
      if (house.sign_origin !== location.origin) return standing.set({ at: 'elsewhere', house })
      if (code !== undefined) return standing.set({ at: 'enrolling', code, house })
      const kept = await keys.read()
      if (kept && (await resumed(kept))) return
      standing.set(house.enrolled ? { at: 'out', house, why: kept ? 'over' : 'new' } : { at: 'unenrolled', house })
    } catch (error) {
      standing.set({ at: 'unreachable', problem: toRefusal(error) })
    }
  }

  /** True: there is a token again. False: the releaser does not know the key any more. Anything else, such as no answer, is thrown. */
  async function resumed(key: KeptKey): Promise<boolean> {
    if (Date.parse(key.expiresAt) <= Date.now() + skew) return forget()
    const begun = departures
    try {
      const { challenge } = await door.resumeChallenge(key.keyId)
      const answer = await door.resume(key.keyId, challenge, await signChallenge(key, await resumeChallenge(challenge)))
      if (departures !== begun) return forget()
      enter(answer, key)
      return true
    } catch (error) {
      if (toRefusal(error).code === 'offline' || toRefusal(error).code === 'signin.locked') throw error
      return forget()
    }
  }

  function enter(answer: SessionAnswer, key: Pick<KeptKey, 'privateKey' | 'publicKey'>): KeptKey {
    token = answer.token
    const kept = { privateKey: key.privateKey, publicKey: key.publicKey, keyId: answer.key_id, expiresAt: answer.expires_at }
    standing.set({ at: 'in', house: house!, key: kept, skew })
    clearTimeout(ending)
    ending = setTimeout(() => void leave('over'), Math.max(0, Date.parse(answer.expires_at) - Date.now() - skew))
    return kept
  }

  async function forget(): Promise<false> {
    token = undefined
    await keys.forget()
    return false
  }

  /** The first reason stands: what is still under way hears from the releaser that the session is over, whoever ended it. */
  function leave(why: 'over' | 'locked'): Promise<void> {
    if (standing.get().at !== 'in') return Promise.resolve()
    leaving ??= (async () => {
      clearTimeout(ending)
      departures += 1
      await forget()
      if (house) standing.set({ at: 'out', house, why })
    })().finally(() => (leaving = undefined))
    return leaving
  }

  /** One passkey use opens some hours: it vouches for a key that is made here and stays here. @throws Refusal */
  async function signIn(): Promise<void> {
    needPasskeys()
    const key = await newSessionKey()
    const { options, session } = await door.sessionOptions(key.publicKey)
    if (!names(session, key.publicKey)) throw new Refusal('session.document', 'The releaser asked to vouch for another key than that of this page. Nothing was signed.')
    const answer = await door.openSession(session, await usePasskey(options, await sessionChallenge(session)))
    await keys.keep(enter(answer, key))
    tabs.tell('began')
  }

  /** @throws Refusal */
  async function enrol(code: string, name: string): Promise<void> {
    needPasskeys()
    const { options } = await door.enrolOptions(code, name)
    await door.enrol(code, name, await makePasskey(options))
    house = await door.house()
    standing.set({ at: 'out', house, why: 'enrolled' })
  }

  async function lock(client: Client): Promise<void> {
    // the page is closed first: an answer that does not come must not keep it open
    const end = client.endSession()
    await leave('locked')
    tabs.tell('ended')
    await end.catch(() => undefined)
  }

  /** For a client that was told that its token is none. */
  function renew(): Promise<boolean> {
    renewing ??= (async () => {
      const now = standing.get()
      if (now.at === 'in' && leaving === undefined && (await resumed(now.key))) return true
      await leave('over')
      return false
    })().finally(() => (renewing = undefined))
    return renewing
  }

  tabs.hear((what) => {
    const { at } = standing.get()
    if (what === 'ended' && at === 'in') void leave('locked')
    if (what === 'began' && at === 'out') void begin()
  })

  const client = createClient({ token: () => token, renew })
  return { standing, client, begin, signIn, enrol, lock: () => lock(client), sign: (challenge: Parameters<typeof signChallenge>[1]) => signWith(standing.get(), challenge) }
}

export type Session = ReturnType<typeof createSession>

async function signWith(standing: Standing, challenge: Parameters<typeof signChallenge>[1]) {
  if (standing.at !== 'in') throw new Refusal('session.over', 'The session is over. Sign in again; nothing was signed.')
  return { key_id: standing.key.keyId, signature: await signChallenge(standing.key, challenge) }
}

function names(session: string, publicKey: string): boolean {
  try {
    const { act, public_key: named } = JSON.parse(session) as { act?: unknown; public_key?: unknown }
    return act === 'session' && named === publicKey
  } catch {
    return false
  }
}

function needPasskeys(): void {
  if (!passkeysWork()) throw new Refusal('passkey.unsupported', 'This browser cannot use passkeys at this address. They need https, or http://localhost.')
}

export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return new Refusal('page.failed', error instanceof Error ? error.message : String(error))
}
