import { createHash, randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { newId } from '../kernel/ids.ts'
import type { OutboxDeps } from '../outbox/change.ts'
import { noteTakenBack } from '../outbox/fence/taken-back.ts'
import { parseRequest } from '../server/envelope.ts'

export type ClientKeyRoutesDeps = Pick<OutboxDeps, 'database' | 'spent' | 'clock'>

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'a name has small letters, digits, _ and -, and begins with a letter')
const longest = 3_653 * 86_400_000
const keyBody = z.object({
  name,
  gate: z.enum(['local', 'cloud']),
  lane: z.string().max(63),
  max_level: z.int().min(0).max(3),
  models: z.array(z.string().min(1).max(200)).max(100),
  /** Milliseconds from now; null: until it is revoked. */
  lasts: z.int().min(1_000).max(longest, 'a key is good for ten years at most; leave the time out to have it good until you revoke it').nullable(),
})
const keyParams = z.object({ name })

/** `last_used_on`: a day in UTC, of the calls that are still kept. `waits`: an older copy of the database came back, and no key counts until the operator has signed. */
const columns = `id, name, gate, lane, max_level, models, made_at, expires_at, revoked_at, acts_wait() is not null as waits,
  (select to_char(max(opened_at) at time zone 'UTC', 'YYYY-MM-DD') from model_call where key_id = client_key.id) as last_used_on`

/** A key that was made for an hour at most, as for a test, and is over: it stays for its calls and says nothing to anybody. */
const forOnce = `expires_at <= made_at + interval '1 hour' and (revoked_at is not null or expires_at <= clock_timestamp())`

/** Keys by which programs outside the house ask a gate; a key is told once, when it is made. */
export function clientKeyRoutes(app: FastifyInstance, deps: ClientKeyRoutesDeps): void {
  const { database: { pool }, clock } = deps
  app.get('/client-keys', async () => ({ ok: true, data: (await pool.query(`select ${columns} from client_key where not (${forOnce}) order by made_at desc, id`)).rows }))

  app.post('/client-keys', async (request) => {
    const { name, gate, lane, max_level, models, lasts } = parseRequest(keyBody, request.body)
    const id = newId()
    const key = `ck_${randomBytes(32).toString('hex')}`
    const hash = createHash('sha256').update(key, 'utf8').digest()
    const expires = lasts === null ? null : new Date(clock.now().getTime() + lasts)
    await pool.query('select client_key_make($1, $2, $3, $4, $5, $6::smallint, $7, $8)', [id, name, hash, gate, lane, max_level, models, expires]).catch((error: { code?: string; message?: string }) => {
      throw faultOf(error, { name, gate, lane, max_level })
    })
    const { rows } = await pool.query(`select ${columns} from client_key where id = $1`, [id])
    return { ok: true, data: { ...rows[0], key } }
  })

  app.post('/client-keys/:name/revoke', async (request) => {
    const { name } = parseRequest(keyParams, request.params)
    const { rows } = await pool.query<{ id: string | null }>('select client_key_revoke($1) as id', [name])
    const { id } = rows[0]!
    if (id === null) throw new Fault('missing', 'client_key.missing', `there is no key ${name} that is still good; \`castellan key list\` shows them`)
    await noteTakenBack(deps, [{ id, document: null }])
    return { ok: true, data: { name, state: 'revoked' } }
  })
}

function faultOf(error: { code?: string; message?: string }, { name, gate, lane, max_level }: { name: string; gate: string; lane: string; max_level: number }): unknown {
  // two at once: the second one is told by the index
  if (error.code === 'CA409' || error.code === '23505') return new Fault('conflict', 'client_key.taken', `there is a key ${name} already; revoke it with \`castellan key revoke ${name}\`, or choose another name`)
  if (error.code === 'CA423') return new Fault('conflict', 'outbox.fenced', 'no key is made while none counts: an older copy of the database came back. See what counts again, and sign that it does: castellan outbox resume')
  if (error.code !== 'CA400') return error
  return error.message?.startsWith('there is no lane')
    ? new Fault('missing', 'lane.missing', `there is no lane ${lane}; castellan.yaml declares them`)
    : new Fault('refused', 'client_key.level', `lane ${lane} shows cloud models no P${max_level}, so gate ${gate} would refuse every call of that key; use --gate local, a lower --max-label, or a lane whose cloud_clearance is high enough`)
}
