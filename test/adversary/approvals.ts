import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import canonicalize from 'canonicalize'
import { newId } from '../../src/kernel/ids.ts'
import { got, stopped, type Attack, type Family, type Outcome } from './attack.ts'
import { until, type Field, type FrozenDraft } from './field.ts'

type Shown = { readonly challenge: string; readonly document: string; readonly wire: string; readonly sha256: string }

const letter = { to: ['eva@example.org'], subject: 'Hello', text: 'Hello\n', attachments: [{ name: 'a.txt', type: 'text/plain', content: Buffer.from('the plan').toString('base64') }] }

/** Whoever can reach the releaser's socket, and whoever can write into the database behind everybody's back, tries to have something sent that the operator did not sign. */
export function approvals(field: Field): Family {
  const { house, owner, operator, demonstration } = field
  const shown = (id: string) => house.call<Shown>('releaser', 'GET', `/drafts/${id}`)
  const decide = (id: string, body: object) => house.call<{ state?: string }>('releaser', 'POST', `/drafts/${id}/decide`, body)
  const signed = (challenge: Uint8Array | string, key = operator) => ({ verdict: 'approve', keyId: key.id, signature: key.sign(Buffer.from(challenge as string, 'hex')) })
  const draftOf = async (connector = 'post', level: 1 | 2 | 3 = 1, payload: unknown = letter): Promise<FrozenDraft> => {
    const [fate] = await field.propose([{ kind: 'mail', connector, payload }], level)
    if (!fate?.draft) throw new Error(`not frozen: ${fate?.refusal}`)
    return fate.draft
  }
  /** With triggers, foreign keys and checks out of the way. */
  const behind = (sql: string, values: readonly unknown[] = []) => owner.transaction(async (client) => {
    await client.query('set local session_replication_role = replica')
    return client.query(sql, [...values])
  })
  /** It must not be released, however long one waits. */
  const stays = async (id: string, said = ''): Promise<Outcome> => {
    // the hold is one second, and the releaser looks when it is over
    await delay(1_600)
    const { rows: [row] } = await owner.pool.query<{ state: string; reason: string | null }>('select state, reason from draft where id = $1', [id])
    return row?.state === 'released' ? got('it was released') : stopped(`${said}state ${row?.state ?? 'gone'}${row?.reason ? `: ${row.reason}` : ''}`)
  }
  const refusedDecision = async (id: string, body: object): Promise<Outcome> => {
    try {
      const { state } = await decide(id, body)
      return await stays(id, `it was taken as ${state}, then `)
    } catch (error) {
      return stopped(`fault ${(error as { code: string }).code}`)
    }
  }

  const signatures: Readonly<Record<string, (draft: FrozenDraft, was: Shown) => Promise<object> | object>> = {
    'without a signature': () => ({ verdict: 'approve', keyId: operator.id }),
    'with an empty signature': () => ({ verdict: 'approve', keyId: operator.id, signature: '' }),
    'with a signature of zeros': () => ({ verdict: 'approve', keyId: operator.id, signature: Buffer.alloc(64).toString('base64') }),
    'with one byte too few': (_draft, { challenge }) => ({ ...signed(challenge), signature: Buffer.from(signed(challenge).signature, 'base64').subarray(1).toString('base64') }),
    'with a word that says it was approved': () => ({ verdict: 'approve', approved: true, force: true }),
    'with a key that nobody enrolled': (_draft, { challenge }) => {
      const { privateKey } = generateKeyPairSync('ed25519')
      return { verdict: 'approve', keyId: 'ed25519:0123456789abcdef', signature: sign(null, Buffer.from(challenge, 'hex'), privateKey).toString('base64') }
    },
    'with another key under the name of the operator’s': (_draft, { challenge }) => {
      const { privateKey } = generateKeyPairSync('ed25519')
      return { verdict: 'approve', keyId: operator.id, signature: sign(null, Buffer.from(challenge, 'hex'), privateKey).toString('base64') }
    },
    'with the key of the demonstration, by mail': (_draft, { challenge }) => signed(challenge, demonstration),
    'with a signature over the bytes alone': (_draft, { sha256 }) => signed(sha256),
    'with a signature over the document without its prefix': (_draft, { document }) => signed(createHash('sha256').update(document).digest('hex')),
    'with a signature over the document of another draft': async () => signed((await shown((await draftOf()).id)).challenge),
    'with the signature that released the same words before': async () => {
      const before = await draftOf()
      const was = signed((await shown(before.id)).challenge)
      await decide(before.id, was)
      await field.becomes(before.id, 'released')
      return was
    },
    'with a signature over an enrolment': () => signed(createHash('sha256').update('castellan/1/enrol').digest('hex')),
  }

  const swaps: Readonly<Record<string, (draft: FrozenDraft, was: Shown, other: FrozenDraft) => Promise<unknown>>> = {
    'the bytes of the attachment': (draft, { wire }) => behind('update draft set wire = $2 where id = $1', [draft.id, Buffer.from(Buffer.from(wire, 'base64').toString('latin1').replace(Buffer.from('the plan').toString('base64'), Buffer.from('THE PLAN').toString('base64')), 'latin1')]),
    'the bytes, and the hash of them in the document': async (draft, { wire, document }) => {
      const other = Buffer.from(Buffer.from(wire, 'base64').toString('latin1').replaceAll('eva@', 'eve@'), 'latin1')
      return behind('update draft set wire = $2, document = $3 where id = $1', [draft.id, other, canonicalize({ ...(JSON.parse(document) as object), wire: { sha256: createHash('sha256').update(other).digest('hex'), length: other.length } })])
    },
    'the recipients in the document': (draft, { document }) => behind('update draft set document = $2 where id = $1', [draft.id, document.replaceAll('eva@example.org', 'eve@evil.example')]),
    'the way out, in document and row': (draft, { document }) => behind(`update draft set document = $2, connector = 'file' where id = $1`, [draft.id, document.replace('"name":"post"', '"name":"file"')]),
    'the deadline, in document and row': (draft, { document }) => {
      const { expires_at } = JSON.parse(document) as { expires_at: string }
      const later = new Date(Date.parse(expires_at) + 86_400_000).toISOString()
      return behind('update draft set document = $2, expires_at = $3 where id = $1', [draft.id, document.replace(expires_at, later), later])
    },
    'the label, in document and row': (draft, { document }) => behind('update draft set document = $2, label_level = 0 where id = $1', [draft.id, document.replace('"level":1', '"level":0')]),
    'document, bytes and nonce for those of another draft': (draft, _was, other) => behind(`update draft d set document = o.document, wire = o.wire from draft o where d.id = $1 and o.id = $2`, [draft.id, other.id]),
  }

  return {
    name: 'approvals that are forged, replayed, or of something else',
    together: 8,
    attacks(): Attack[] {
      return [
        ...Object.entries(signatures).map(([how, make]): Attack => ({
          name: `a draft is approved ${how}`,
          attempt: async () => {
            const draft = await draftOf()
            return refusedDecision(draft.id, await make(draft, await shown(draft.id)))
          },
        })),
        ...Object.entries(swaps).flatMap(([what, swap]): Attack[] => [
          { name: `${what} are swapped while the draft is looked at`, attempt: async () => {
            const [draft, other] = await Promise.all([draftOf(), draftOf('post', 1, { ...letter, to: ['mallory@evil.example'] })])
            const was = await shown(draft.id)
            await swap(draft, was, other)
            return refusedDecision(draft.id, signed(was.challenge))
          } },
          { name: `${what} are swapped after the draft was signed`, attempt: async () => {
            const [draft, other] = await Promise.all([draftOf(), draftOf('post', 1, { ...letter, to: ['mallory@evil.example'] })])
            const was = await shown(draft.id)
            await decide(draft.id, signed(was.challenge))
            await swap(draft, was, other)
            return stays(draft.id)
          } },
        ]),
        { name: 'a draft that was denied is approved', attempt: async () => {
          const draft = await draftOf()
          const { challenge } = await shown(draft.id)
          await decide(draft.id, { verdict: 'deny' })
          return refusedDecision(draft.id, signed(challenge))
        } },
        { name: 'an approval is sent twice', attempt: async () => {
          const draft = await draftOf('file')
          const { challenge } = await shown(draft.id)
          const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => decide(draft.id, signed(challenge))))
          await field.becomes(draft.id, 'released')
          const taken = outcomes.filter(({ status }) => status === 'fulfilled').length
          const { rows } = await owner.pool.query('select 1 from delivery where draft_id = $1', [draft.id])
          return taken === 1 && rows.length === 1 ? stopped(`one was taken, the others: fault ${(outcomes.find((one) => one.status === 'rejected')!.reason as { code: string }).code}`) : got(`${taken} were taken`)
        } },
        { name: 'what was signed is edited, and the old signature sent', attempt: async () => {
          const draft = await draftOf()
          const { challenge } = await shown(draft.id)
          await house.call('releaser', 'POST', `/drafts/${draft.id}/edit`, { challenge, recipients: { to: ['eve@evil.example'], cc: [], bcc: [] }, subject: 'Other', text: 'Other' })
          const { rows: [next] } = await owner.pool.query<{ id: string }>('select id from draft where replaces = $1', [draft.id])
          return refusedDecision(next!.id, signed(challenge))
        } },
        { name: 'a row says that it was signed, held and due', attempt: async () => {
          const draft = await draftOf()
          await behind(`update draft set state = 'held', hold_until = now() where id = $1`, [draft.id])
          return stays(draft.id)
        } },
        { name: 'a decision is made up, with a signature of zeros', attempt: async () => {
          const draft = await draftOf()
          await behind(`insert into decision (id, draft_id, verdict, key_id, signature, decided_at) values ($1, $2, 'approve', $3, $4, now())`, [newId(), draft.id, operator.id, Buffer.alloc(64)])
          await behind(`update draft set state = 'held', hold_until = now() where id = $1`, [draft.id])
          return stays(draft.id)
        } },
        { name: 'a draft that was released is put back to held', attempt: async () => {
          const draft = await draftOf('file')
          await field.approve(draft.id)
          await field.becomes(draft.id, 'released')
          await behind(`update draft set state = 'held', hold_until = now() where id = $1`, [draft.id])
          await behind('delete from delivery where draft_id = $1', [draft.id])
          await delay(2_500)
          const { rows: [row] } = await owner.pool.query<{ state: string; reason: string | null }>('select state, reason from draft where id = $1', [draft.id])
          return row!.state === 'unknown' || row!.state === 'held' ? stopped(`state ${row!.state}: ${row!.reason}`) : got(`it went on to ${row!.state}`)
        } },
        { name: 'a draft whose approval was taken back is put back to held', attempt: async () => {
          const draft = await draftOf()
          await field.approve(draft.id)
          await house.call('releaser', 'POST', `/drafts/${draft.id}/undo`, {})
          await behind('delete from draft where replaces = $1', [draft.id])
          await behind(`update draft set state = 'held', hold_until = now() where id = $1`, [draft.id])
          return stays(draft.id)
        } },
        { name: 'a released draft is copied under another id', attempt: async () => {
          const draft = await draftOf('file')
          await field.approve(draft.id)
          await field.becomes(draft.id, 'released')
          const copy = newId()
          await behind(`insert into draft (id, proposal_id, kind, connector, account, document, wire, nonce, risk, summary, state, frozen_at, expires_at, hold_until, label_level, label_integrity, label_lanes)
            select $2, proposal_id, kind, connector, account, document, wire, nonce || 'x', risk, summary, 'held', frozen_at, expires_at, now(), label_level, label_integrity, label_lanes from draft where id = $1`, [draft.id, copy])
          await behind(`insert into decision (id, draft_id, verdict, key_id, signature, decided_at) select gen_random_uuid(), $2, verdict, key_id, signature, decided_at from decision where draft_id = $1`, [draft.id, copy])
          return stays(copy)
        } },
        { name: 'a P3 draft is approved without a passkey, by mail', attempt: async () => {
          const draft = await draftOf('post', 3)
          return refusedDecision(draft.id, signed((await shown(draft.id)).challenge))
        } },
        { name: 'a request to a name that leads inside is signed', attempt: () => signedButClosed('inside', 'http.request', { method: 'POST', path: '/x', body: 'x' }) },
        { name: 'a notice to the place where clouds keep their keys is signed', attempt: () => signedButClosed('metadata', 'webhook', { body: { a: 1 } }) },
        { name: 'an approval with a key that was revoked since', attempt: async () => {
          const draft = await draftOf()
          const { challenge } = await shown(draft.id)
          const other = generateKeyPairSync('ed25519')
          const key = await enrol(field, other.privateKey, other.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'))
          await decide(draft.id, { verdict: 'approve', keyId: key, signature: sign(null, Buffer.from(challenge, 'hex'), other.privateKey).toString('base64') })
          await house.call('releaser', 'POST', `/keys/${key}/revoke`, {})
          return stays(draft.id)
        } },
      ]
    },
  }

  /** Even with the operator's own signature. */
  async function signedButClosed(connector: string, kind: string, payload: unknown): Promise<Outcome> {
    const [fate] = await field.propose([{ kind, connector, payload }])
    if (!fate?.draft) return stopped(fate?.refusal ?? 'not frozen')
    await field.approve(fate.draft.id)
    const became = await field.becomes(fate.draft.id, 'released')
    return became.startsWith('released') ? got('it was sent') : stopped(became)
  }
}

/** A releaser that comes back looks first at what it was at. */
export function restarts(field: Field): Family {
  const { house, owner } = field
  const restarted = async () => {
    const releaser = house.up.processes.get('releaser')!
    process.kill(releaser.pid!, 'SIGKILL')
    await until(async () => releaser.state.state !== 'ready', 'the death of the releaser')
    await until(async () => releaser.state.state === 'ready', 'the next releaser')
  }
  const attack = (name: string, sql: string, sign: boolean): Attack => ({
    name,
    async attempt() {
      const [fate] = await field.propose([{ kind: 'mail', connector: 'post', payload: letter }])
      const { id } = fate!.draft!
      if (sign) {
        await field.approve(id)
        await field.becomes(id, 'released')
      }
      await owner.transaction(async (client) => {
        await client.query('set local session_replication_role = replica')
        await client.query(sql, [id])
      })
      const arrived = field.outside.smtp.received.length
      await restarted()
      await delay(2_500)
      const { rows: [row] } = await owner.pool.query<{ state: string; reason: string | null }>('select state, reason from draft where id = $1', [id])
      const again = field.outside.smtp.received.length - arrived
      return again > 0 ? got(`it was sent ${again} times more`) : stopped(`state ${row!.state}${row!.reason === null ? '' : `: ${row!.reason}`}; nothing more was sent`)
    },
  })
  return {
    name: 'a releaser that was killed in between',
    attacks: () => [
      attack('a draft that nobody signed says that it was being released', `update draft set state = 'releasing', hold_until = now() where id = $1`, false),
      attack('a draft that nobody signed says that it was held', `update draft set state = 'held', hold_until = now() where id = $1`, false),
      attack('a draft that was released says that it was being released', `update draft set state = 'releasing', hold_until = now() where id = $1`, true),
      attack('a draft that was released says that it waits', `update draft set state = 'waiting' where id = $1`, true),
    ],
  }
}

async function enrol({ house }: Field, privateKey: Parameters<typeof sign>[2], publicKey: string): Promise<string> {
  const [scope, name] = ['operator', 'revoked-later'] as const
  const challenge = createHash('sha256').update('castellan/1/enrol').update(canonicalize({ name, public_key: publicKey, scope })!).digest()
  const { id } = await house.call<{ id: string }>('releaser', 'POST', '/keys/enroll', { publicKey, scope, name, signature: sign(null, challenge, privateKey).toString('base64') })
  return id
}
