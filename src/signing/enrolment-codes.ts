import { createHash, randomInt, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/fault.ts'

const lifeMs = 10 * 60_000
const mostWrong = 5
/** Without I, L, O and U (Crockford): it may be read from a screen and typed on a phone. */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

export interface IssuedCode {
  readonly id: string
  /** 16 letters of 5 random bits, in groups of four. */
  readonly code: string
  readonly expiresAt: Date
}

export type CodeState = { readonly state: 'waiting' | 'over' } | { readonly state: 'used'; readonly key_id: string; readonly name: string }

/** The one-time codes that let a browser enrol a passkey: made at the terminal only, one at a time. */
export interface EnrolmentCodes {
  /** The code before it is void. */
  issue(name: string | undefined): IssuedCode
  state(id: string): CodeState
  /** The challenge for the registration under way, a new one each time. @throws Fault `enrol.code` */
  begin(code: string, challenge: Uint8Array): { readonly name: string | undefined }
  /**
   * Enrols with the code, which is used up by it; when the work fails, that was a wrong try.
   * @throws Fault `enrol.code`, and what the work throws
   */
  use<T extends { id: string; name: string }>(code: string, work: (challenge: Uint8Array, name: string | undefined) => Promise<T>): Promise<T>
}

interface Held {
  readonly id: string
  readonly hash: Buffer
  readonly name: string | undefined
  readonly until: number
  wrong: number
  busy: boolean
  challenge?: Uint8Array
}

export function createEnrolmentCodes(clock: Clock): EnrolmentCodes {
  let held: Held | undefined
  let used: { readonly id: string; readonly key_id: string; readonly name: string } | undefined

  function check(code: string): Held {
    const current = live()
    if (current && timingSafeEqual(hashOf(code), current.hash)) return current
    if (current) {
      current.wrong += 1
      if (current.wrong >= mostWrong) held = undefined
    }
    throw new Fault('refused', 'enrol.code', 'this code is not the one that waits: make one with `castellan operator enroll --passkey`; it counts once, for ten minutes')
  }

  function live(): Held | undefined {
    return held && clock.now().getTime() < held.until ? held : undefined
  }

  return {
    issue(name) {
      const code = Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => letters[randomInt(32)]!).join('')).join('-')
      const until = clock.now().getTime() + lifeMs
      held = { id: randomUUID(), hash: hashOf(code), name, until, wrong: 0, busy: false }
      return { id: held.id, code, expiresAt: new Date(until) }
    },
    state(id) {
      if (used?.id === id) return { state: 'used', key_id: used.key_id, name: used.name }
      return { state: live()?.id === id ? 'waiting' : 'over' }
    },
    begin(code, challenge) {
      const current = check(code)
      current.challenge = challenge
      return { name: current.name }
    },
    async use(code, work) {
      const current = check(code)
      const { challenge } = current
      if (challenge === undefined || current.busy) throw new Fault('conflict', 'enrol.order', 'ask for the options of this code first, then enrol once')
      current.busy = true
      delete current.challenge
      try {
        const key = await work(challenge, current.name)
        used = { id: current.id, key_id: key.id, name: key.name }
        if (held === current) held = undefined
        return key
      } catch (error) {
        current.wrong += 1
        if (current.wrong >= mostWrong && held === current) held = undefined
        throw error
      } finally {
        current.busy = false
      }
    },
  }
}

function hashOf(code: string): Buffer {
  const read = code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  return createHash('sha256').update(read).digest()
}
