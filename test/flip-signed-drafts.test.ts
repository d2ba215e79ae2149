import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import canonicalize from 'canonicalize'
import { decideDraft, type DecisionRequest } from '../src/outbox/decide-draft.ts'
import { draftStates, type Draft } from '../src/outbox/draft.ts'
import { releaseDrafts } from '../src/outbox/release-drafts.ts'
import { enrolTestPasskey, openTestSession } from './support/authenticator.ts'
import { leavesOf, otherJson, otherValue } from './support/flips.ts'
import { snapshot, testOutbox, type TestOutbox } from './support/outbox.ts'

// Whoever owns the database, and has taken its triggers, keys and checks away, changes one thing of a draft that is signed and due. Nothing leaves; and the
// same draft, put back as it was, leaves at the end, so that it was the change that kept it in. What there is to change is asked of the catalog and of the
// document itself: a new column is covered, or it fails here until somebody has said why the signature need not cover it.

const letter = {
  to: ['Eva <eva@example.org>'], cc: ['Ole <ole@example.org>'], bcc: ['ina@example.org'], subject: 'Termin', text: 'Liebe Eva,\n\nbis Montag.\n',
  inReplyTo: '<first@example.org>', references: ['<zeroth@example.org>'], attachments: [{ name: 'plan.txt', type: 'text/plain', content: Buffer.from('The plan').toString('base64') }],
}

/** Says when something is done or how it is told; what leaves, to whom and by whose leave is the same bytes. */
const beside: Readonly<Record<string, string>> = {
  'draft.reason': 'why it is in its state, told to the operator',
  'draft.summary': 'what later drafts are compared with',
  'draft.hold_until': 'when it may leave; the signed deadline stands above it',
  'draft.snoozed_until': 'whether it is in the usual list',
  'draft.closed_at': 'when it was over',
  'draft.retain_until': 'how long it is kept',
  'decision.id': 'the name of the row',
  'decision.reason': 'what the operator said',
  'decision.decided_at': 'when; the hours of a session key are held against it',
  'decision.signature': 'of a passkey, whose assertion stands beside it',
  'decision.assertion': 'of a key without a browser, whose signature stands beside it',
}

type Sign = (outbox: TestOutbox) => Promise<(draft: Draft) => DecisionRequest>

const ways: Readonly<Record<string, { readonly sign: Sign; readonly untouched: readonly string[] }>> = {
  'the key of the terminal': {
    sign: async ({ key }) => ({ document }) => ({ verdict: 'approve', keyId: key.id, signature: key.sign(document) }),
    untouched: ['decision.assertion', 'decision.decided_at'],
  },
  'a passkey': {
    sign: async ({ deps }) => {
      const passkey = await enrolTestPasskey(deps)
      return ({ document }) => ({ verdict: 'approve', assertion: passkey.sign(document) })
    },
    untouched: ['decision.decided_at'],
  },
  'a session key': {
    sign: async ({ deps }) => {
      const session = await openTestSession(deps, await enrolTestPasskey(deps))
      return ({ document }) => ({ verdict: 'approve', keyId: session.key.id, signature: session.sign(document) })
    },
    untouched: ['decision.assertion', 'decision.decided_at'],
  },
}
const alwaysUntouched = ['draft.reason', 'draft.summary', 'draft.hold_until', 'draft.snoozed_until', 'draft.closed_at', 'draft.retain_until', 'decision.id', 'decision.reason']

interface Desk {
  readonly outbox: TestOutbox
  readonly draft: Draft
  /** Changes rows, lets the releaser work, and says what became of the draft; then all is as before. */
  attempt(sql: string, values?: readonly unknown[]): Promise<{ readonly left: boolean; readonly why: string }>
}

async function signedDraft(t: TestContext, sign: Sign): Promise<Desk> {
  const outbox = await testOutbox(t)
  const { owner } = outbox.database
  const { rows: checks } = await owner.pool.query<{ drop: string }>(
    `select format('alter table %s drop constraint %I cascade', conrelid::regclass, conname) as drop from pg_constraint
     where conrelid = any (array['draft', 'decision']::regclass[]) and contype in ('c', 'f')`)
  for (const { drop } of checks) await owner.pool.query(drop)
  // risk below 7, so that a session key may sign it
  const frozen = await outbox.freeze(letter, { label: { level: 1, integrity: 'trusted', lanes: ['private'] } })
  const request = (await sign(outbox))(frozen)
  assert.equal((await decideDraft(outbox.deps, frozen.id, request)).outcome, 'decided')
  outbox.clock.advance(outbox.settings.holdMs)
  const restore = await snapshot(outbox)
  return {
    outbox, draft: await outbox.draft(frozen.id),
    async attempt(sql, values = []) {
      await owner.transaction(async (client) => {
        await client.query('set local session_replication_role = replica')
        await client.query(sql, [...values])
      })
      await releaseDrafts(outbox.deps)
      const left = existsSync(outbox.outgoing) && readdirSync(outbox.outgoing).length > 0
      const { rows } = await owner.pool.query<{ state: string; reason: string | null }>('select state, reason from draft')
      const spent = outbox.deps.spent.count > 0
      await restore()
      return { left: left || spent, why: rows.map(({ state, reason }) => reason ?? `it is ${state}`).join('; ') }
    },
  }
}

interface Column { readonly table: string; readonly name: string; readonly type: string }

/** Every column that a release could look at, as the catalog has them. */
async function columnsOf({ database: { owner } }: TestOutbox): Promise<Column[]> {
  const { rows } = await owner.pool.query<Column>(
    `select table_name as table, column_name as name, case data_type when 'ARRAY' then udt_name else data_type end as type
     from information_schema.columns where table_schema = 'castellan' and table_name in ('draft', 'decision') order by table_name, ordinal_position`)
  return rows
}

for (const [who, { sign, untouched }] of Object.entries(ways)) {
  test(`a draft that ${who} signed is not released when any field of it was changed, and is when none was`, { timeout: 300_000 }, async (t) => {
    const { outbox, draft, attempt } = await signedDraft(t, sign)
    const whys = new Map<string, number>()
    let flips = 0
    const refused = async (what: string, sql: string, values: readonly unknown[] = []) => {
      flips += 1
      const { left, why } = await attempt(sql, values)
      assert.equal(left, false, `it left although ${what}`)
      const brief = why.replace(/ \(.*\)|\S*[/:]\S*[0-9a-z]{6,}\S*|[0-9a-f-]{36}/g, '…')
      whys.set(brief, (whys.get(brief) ?? 0) + 1)
    }

    await t.test('columns of the draft and of the decision', async () => {
      const columns = await columnsOf(outbox)
      const free = new Set([...alwaysUntouched, ...untouched])
      for (const name of free) {
        assert(columns.some(({ table, name: column }) => `${table}.${column}` === name), `${name} is no column any more`)
        assert(name in beside, name)
      }
      for (const { table, name, type } of columns) {
        if (free.has(`${table}.${name}`)) continue
        const { rows: [row] } = await outbox.database.owner.pool.query<{ value: unknown }>(`select ${name} as value from ${table} where ${table === 'draft' ? 'id' : 'draft_id'} = $1`, [draft.id])
        // what has states is set to each other one
        const others = `${table}.${name}` === 'draft.state' ? draftStates.filter((state) => state !== 'held') : otherValue(type, row!.value)
        assert(others.length > 0, `nothing else can stand in ${table}.${name} (${type})`)
        for (const [index, other] of others.entries()) await refused(`${table}.${name} was another (${index})`, `update ${table} set ${name} = $1`, [other])
      }
    })

    await t.test('every leaf of the document, alone and with the row made to agree', async () => {
      const leaves = leavesOf(JSON.parse(draft.document))
      assert(leaves.length > 30, `${leaves.length} leaves`)
      for (const leaf of leaves) {
        for (const changed of otherJson(JSON.parse(draft.document), leaf)) {
          const text = canonicalize(changed)!
          await refused(`${leaf.join('.')} of the document was another`, 'update draft set document = $1', [text])
          const [sql, values] = agreeing(changed as SignedDocument, text)
          await refused(`${leaf.join('.')} of document and row was another`, sql, values)
        }
      }
      await refused('the document had a space more', 'update draft set document = $1', [draft.document.replace(',', ', ')])
      await refused('the document was that of nothing', `update draft set document = ''`)
    })

    await t.test('the bytes, with the document made to name them', async () => {
      for (const at of [0, draft.wire.length >> 1, draft.wire.length - 1]) {
        const wire = Buffer.from(draft.wire)
        wire[at]! ^= 1
        const document = JSON.parse(draft.document) as SignedDocument
        const text = canonicalize({ ...document, wire: { sha256: createHash('sha256').update(wire).digest('hex'), length: wire.length } })!
        await refused(`byte ${at} and the hash of it were others`, 'update draft set wire = $1, document = $2', [wire, text])
      }
    })

    await t.test('the proof: every leaf of it, the proof of another draft, and none', async () => {
      const { rows: [decision] } = await outbox.database.owner.pool.query<{ assertion: object | null }>('select assertion from decision')
      // what is there besides is not read; and one character more of base64url may be no byte more
      for (const leaf of decision!.assertion === null ? [] : leavesOf(decision!.assertion).filter((one) => !['', 'response'].includes(one.join('.')))) {
        for (const changed of otherJson(decision!.assertion, leaf).slice(0, 2)) await refused(`${leaf.join('.')} of the assertion was another`, 'update decision set assertion = $1', [JSON.stringify(changed)])
      }
      const other = await outbox.freeze({ ...letter, subject: 'Another' }, { label: draft.label })
      const foreign = (await sign(outbox))(other) as { signature?: string; assertion?: object; keyId?: string }
      if (foreign.signature !== undefined) await refused('the signature was over another draft', 'update decision set signature = $1, key_id = $2', [Buffer.from(foreign.signature, 'base64'), foreign.keyId])
      else await refused('the assertion was over another draft', 'update decision set assertion = $1', [JSON.stringify(foreign.assertion)])
      await refused('there was no decision', 'delete from decision')
      await outbox.database.owner.pool.query('delete from draft where id = $1', [other.id])
    })

    await t.test('as it was, it is released: once, and with exactly the signed bytes', async () => {
      assert.equal((await releaseDrafts(outbox.deps)).released, 1)
      assert.deepEqual(readdirSync(outbox.outgoing), [`${draft.id}.eml`])
      assert(readFileSync(join(outbox.outgoing, `${draft.id}.eml`)).equals(draft.wire))
      assert.equal((await releaseDrafts(outbox.deps)).released, 0)
    })
    t.diagnostic(`${flips} changes: ${[...whys].map(([why, times]) => `${times} × ${why}`).join(' | ')}`)
  })
}

test('what stands beside the signature changes neither the bytes that leave nor how often they do', { timeout: 300_000 }, async (t) => {
  const { sign } = ways['the key of the terminal']!
  for (const name of [...alwaysUntouched, 'decision.assertion', 'decision.decided_at']) {
    await t.test(`${name}: ${beside[name]}`, async (t) => {
      const { outbox, draft } = await signedDraft(t, sign)
      const { owner } = outbox.database
      const [table, column] = name.split('.') as [string, string]
      const { type } = (await columnsOf(outbox)).find((one) => one.table === table && one.name === column)!
      const { rows: [row] } = await owner.pool.query<{ value: unknown }>(`select ${column} as value from ${table}`)
      await owner.transaction(async (client) => {
        await client.query('set local session_replication_role = replica')
        await client.query(`update ${table} set ${column} = $1`, [otherValue(type, row!.value)[0]])
      })
      // a later hold is waited for; it ends before the deadline that was signed
      outbox.clock.advance(60_000)
      await releaseDrafts(outbox.deps)
      await releaseDrafts(outbox.deps)
      assert.deepEqual(readdirSync(outbox.outgoing), [`${draft.id}.eml`])
      assert(readFileSync(join(outbox.outgoing, `${draft.id}.eml`)).equals(draft.wire))
    })
  }
})

test('a draft that nobody signed is not released because its row says so, with a hold that is over and a decision that was made up', async (t) => {
  const outbox = await testOutbox(t)
  const { owner } = outbox.database
  for (const state of ['signed', 'held', 'releasing'] as const) {
    for (const forged of [undefined, Buffer.alloc(64, 7)]) {
      const { id } = await outbox.freeze(letter)
      await owner.transaction(async (client) => {
        await client.query('set local session_replication_role = replica')
        await client.query('update draft set state = $2, hold_until = frozen_at where id = $1', [id, state])
        if (forged) await client.query(`insert into decision (id, draft_id, verdict, key_id, signature, decided_at) values ($1, $2, 'approve', $3, $4, $5)`, [randomUUID(), id, outbox.key.id, forged, outbox.clock.now()])
      })
      outbox.clock.advance(outbox.settings.holdMs)
      await releaseDrafts(outbox.deps)
      assert.notEqual((await outbox.draft(id)).state, 'released')
    }
  }
  assert.equal(existsSync(outbox.outgoing) && readdirSync(outbox.outgoing).length > 0, false)
})

interface SignedDocument {
  readonly id: string; readonly nonce: string; readonly kind: string; readonly account: string; readonly risk: number; readonly replaces: string | null
  readonly connector: { readonly name: string }; readonly origin: { readonly proposal: string }; readonly frozen_at: string; readonly expires_at: string
  readonly label: { readonly level: number; readonly integrity: string; readonly lanes: readonly string[] }
}

/** The row as that document would have it, the name of the draft in the decision too. What a document lost its row keeps. */
function agreeing(document: Partial<SignedDocument>, text: string): [string, unknown[]] {
  const { id, nonce, kind, account, risk, replaces, connector, origin, frozen_at, expires_at, label } = document
  return [
    `with named as (update decision set draft_id = coalesce($2, draft_id))
     update draft set document = $1, id = coalesce($2, id), nonce = coalesce($3, nonce), kind = coalesce($4, kind), account = coalesce($5, account), risk = coalesce($6, risk),
       replaces = $7, connector = coalesce($8, connector), proposal_id = coalesce($9, proposal_id), frozen_at = coalesce($10, frozen_at), expires_at = coalesce($11, expires_at),
       label_level = coalesce($12, label_level), label_integrity = coalesce($13, label_integrity), label_lanes = coalesce($14, label_lanes)`,
    [text, id, nonce, kind, account, risk, replaces, connector?.name, origin?.proposal, frozen_at, expires_at, label?.level, label?.integrity, label?.lanes].map((value) => value ?? null),
  ]
}

