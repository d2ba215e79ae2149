import { existsSync, readdirSync } from 'node:fs'
import { enrolTestPasskey, openTestSession, type Departure } from '../support/authenticator.ts'
import { aMail, snapshot, testOutbox, testSite, untrustedInternal, type TestOutbox } from '../support/outbox.ts'
import { decideDraft, type DecisionRequest } from '../../src/outbox/decide-draft.ts'
import type { Draft } from '../../src/outbox/draft.ts'
import { expireDrafts } from '../../src/outbox/expire-drafts.ts'
import { sessionMs } from '../../src/outbox/keys/session-document.ts'
import { recoverDrafts } from '../../src/outbox/recover-drafts.ts'
import { releaseDraft, releaseDrafts } from '../../src/outbox/release-drafts.ts'
import { openSpentNonces } from '../../src/outbox/spent-nonces.ts'
import { got, refusalOf, stopped, type Attack, type Family, type Outcome } from './attack.ts'
import type { Cleanup } from './outside.ts'

const days = 24 * 3_600_000
const risky = { ...aMail, text: 'Our new IBAN: DE89 3704 0044 0532 0130 00' }

/** The releaser's own parts with a clock that the attacker sets, on a database of their own: what a house with the machine's clock would take days for. */
export function clocks(t: Cleanup): Family {
  /** So many files may be there at the end. */
  const attack = (name: string, most: 0 | 1, work: (outbox: TestOutbox) => Promise<string>): Attack => ({
    name,
    async attempt(): Promise<Outcome> {
      const outbox = await testOutbox({ after: t.after as never })
      const said = await work(outbox).catch(refusalOf)
      const files = existsSync(outbox.outgoing) ? readdirSync(outbox.outgoing).length : 0
      return files > most ? got(`${files} files lie in the outbox`) : stopped(said)
    },
  })
  const signedBy = ({ key }: TestOutbox, { document }: Draft): DecisionRequest => ({ verdict: 'approve', keyId: key.id, signature: key.sign(document) })
  const decided = async (outbox: TestOutbox, draft: Draft, request: DecisionRequest) => {
    const outcome = await decideDraft(outbox.deps, draft.id, request)
    if (outcome.outcome === 'too_late') return `too late: it is ${outcome.was}`
    outbox.clock.advance(outbox.settings.holdMs)
    await releaseDrafts(outbox.deps)
    return stateOf(outbox, draft)
  }
  const stateOf = async (outbox: TestOutbox, { id }: Draft) => {
    const { state, reason } = await outbox.draft(id)
    return `state ${state}${reason === null ? '' : `: ${reason}`}`
  }
  const passkey = (name: string, departure: Departure, draftOf = (outbox: TestOutbox) => outbox.freeze(risky)) => attack(`a passkey signs ${name}`, 0, async (outbox) => {
    const device = await enrolTestPasskey(outbox.deps)
    const draft = await draftOf(outbox)
    return decided(outbox, draft, { verdict: 'approve', assertion: device.sign(draft.document, departure) })
  })
  /** Each of the three keys does release what it may, so that what follows is refused for what it is. */
  async function working(): Promise<Attack> {
    const outbox = await testOutbox({ after: t.after as never })
    const device = await enrolTestPasskey(outbox.deps)
    const session = await openTestSession(outbox.deps, device)
    const [byKey, byPasskey, bySession] = [await outbox.freeze(), await outbox.freeze(risky), await outbox.freeze()]
    const ends = [
      await decided(outbox, byKey, signedBy(outbox, byKey)), await decided(outbox, byPasskey, { verdict: 'approve', assertion: device.sign(byPasskey.document) }),
      await decided(outbox, bySession, { verdict: 'approve', keyId: session.key.id, signature: session.sign(bySession.document) }),
    ]
    if (ends.some((end) => end !== 'state released')) throw new Error(`what is signed as it should be is not released: ${ends.join(', ')}`)
    return { name: 'key, passkey and session release what they may, so that what follows is refused for what it is', attempt: () => stopped(`nothing: ${ends.join(', ')}`) }
  }

  return {
    name: 'clocks, races and passkeys',
    attacks: async () => [
      await working(),
      attack('a signature comes after the deadline', 0, async (outbox) => {
        const draft = await outbox.freeze()
        outbox.clock.advance(4 * days)
        return decided(outbox, draft, signedBy(outbox, draft))
      }),
      attack('the clock is set back to before the deadline, after the draft expired', 0, async (outbox) => {
        const draft = await outbox.freeze()
        outbox.clock.advance(4 * days)
        await expireDrafts(outbox.deps)
        outbox.clock.advance(-4 * days)
        return decided(outbox, draft, signedBy(outbox, draft))
      }),
      attack('a draft is signed in time, and its release put off until long after', 0, async (outbox) => {
        const draft = await outbox.freeze()
        await decideDraft(outbox.deps, draft.id, signedBy(outbox, draft))
        outbox.clock.advance(5 * days)
        await releaseDrafts(outbox.deps)
        return stateOf(outbox, draft)
      }),
      attack('the clock is set back after the release, and the draft released again', 1, async (outbox) => {
        const draft = await outbox.readyToRelease()
        await releaseDrafts(outbox.deps)
        outbox.clock.advance(-2 * days)
        await outbox.database.owner.transaction(async (client) => {
          await client.query('set local session_replication_role = replica')
          await client.query(`update draft set state = 'held'`)
        })
        outbox.clock.advance(2 * days)
        await releaseDrafts(outbox.deps)
        return stateOf(outbox, draft)
      }),
      attack('eight releases race for one draft', 1, async (outbox) => {
        const draft = await outbox.readyToRelease()
        const ends = await Promise.all(Array.from({ length: 8 }, () => releaseDraft(outbox.deps, draft.id)))
        return `${ends.filter((end) => end === 'released').length} released, ${ends.filter((end) => end === 'none').length} found it gone`
      }),
      attack('a second releaser opens the file of spent nonces', 0, async (outbox) => {
        await openSpentNonces(outbox.folder)
        return 'it was opened'
      }),
      attack('the database is restored from before the release', 1, async (outbox) => {
        const draft = await outbox.readyToRelease()
        const restore = await snapshot(outbox)
        await releaseDrafts(outbox.deps)
        await restore()
        await releaseDrafts(outbox.deps)
        return stateOf(outbox, draft)
      }),
      attack('the database is restored from before the signature, and signed again', 1, async (outbox) => {
        const draft = await outbox.freeze()
        const restore = await snapshot(outbox)
        await decided(outbox, draft, signedBy(outbox, draft))
        await restore()
        await recoverDrafts(outbox.deps)
        return decided(outbox, draft, signedBy(outbox, draft))
      }),
      passkey('at another origin', { origin: 'https://evil.example' }),
      passkey('at another port of this machine', { origin: 'http://localhost:7400' }),
      passkey('for another name', { rpId: 'evil.example' }),
      passkey('without looking who touches it', { userVerified: false }),
      passkey('without being touched', { userPresent: false }),
      passkey('in a frame of another page', { crossOrigin: true }),
      passkey('as if it were being enrolled', { type: 'webauthn.create' }),
      passkey('under the name of another', { credentialId: Buffer.alloc(32, 9).toString('base64url') }),
      attack('a passkey whose counter goes back signs', 1, async (outbox) => {
        const device = await enrolTestPasskey(outbox.deps)
        const [one, two] = [await outbox.freeze(risky), await outbox.freeze(risky)]
        await decideDraft(outbox.deps, one.id, { verdict: 'approve', assertion: device.sign(one.document, { counter: 9 }) })
        return decided(outbox, two, { verdict: 'approve', assertion: device.sign(two.document, { counter: 3 }) })
      }),
      attack('the answer of a passkey is sent for another draft', 0, async (outbox) => {
        const device = await enrolTestPasskey(outbox.deps)
        const [one, two] = [await outbox.freeze(risky), await outbox.freeze(risky)]
        return decided(outbox, two, { verdict: 'approve', assertion: device.sign(one.document) })
      }),
      ...([['of risk 7 and more', risky, untrustedInternal], ['that is P3', aMail, { ...untrustedInternal, level: 3 }]] as const).map(([what, payload, label]) =>
        attack(`a session key signs a draft ${what}`, 0, async (outbox) => {
          const session = await openTestSession(outbox.deps, await enrolTestPasskey(outbox.deps))
          const draft = await outbox.freeze(payload, { label })
          return decided(outbox, draft, { verdict: 'approve', keyId: session.key.id, signature: session.sign(draft.document) })
        })),
      attack('a session key signs after its hours', 0, async (outbox) => {
        const session = await openTestSession(outbox.deps, await enrolTestPasskey(outbox.deps))
        const draft = await outbox.freeze()
        outbox.clock.advance(sessionMs)
        return decided(outbox, draft, { verdict: 'approve', keyId: session.key.id, signature: session.sign(draft.document) })
      }),
      attack('a session key signs, and the passkey that vouched for it is revoked before the hold is over', 0, async (outbox) => {
        const device = await enrolTestPasskey(outbox.deps)
        const session = await openTestSession(outbox.deps, device)
        const draft = await outbox.freeze()
        await decideDraft(outbox.deps, draft.id, { verdict: 'approve', keyId: session.key.id, signature: session.sign(draft.document) })
        await outbox.deps.keys.revoke(device.key.id, outbox.clock.now())
        outbox.clock.advance(outbox.settings.holdMs)
        await releaseDrafts(outbox.deps)
        return stateOf(outbox, draft)
      }),
      attack('a session is vouched for at another origin', 0, async (outbox) => {
        const device = await enrolTestPasskey(outbox.deps)
        const elsewhere = { ...outbox.deps, site: () => ({ ...testSite, origin: 'https://evil.example' }) }
        const session = await openTestSession(elsewhere, device)
        const draft = await outbox.freeze()
        return decided(outbox, draft, { verdict: 'approve', keyId: session.key.id, signature: session.sign(draft.document) })
      }),
    ],
  }
}
