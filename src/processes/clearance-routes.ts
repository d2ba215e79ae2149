import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import type { House } from '../house/index.ts'
import type { OutboxDeps } from '../outbox/change.ts'
import { readClearance } from '../outbox/clearances/clearance-act.ts'
import { proposeClearance } from '../outbox/clearances/propose-clearance.ts'
import { noteTakenBack } from '../outbox/fence/taken-back.ts'
import { parseRequest } from '../server/envelope.ts'

export interface ClearanceRoutesDeps {
  readonly outbox: OutboxDeps
  readonly house: () => House
  /** A draft was frozen, or what may reach whom is another now. */
  onChange(): void
}

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'a name has small letters, digits, _ and -, and begins with a letter')
const wantedBody = z.object({
  /** Left out: the upstream is a machine of the operator's own. */
  lane: name.optional(),
  upstream: name,
  expires_at: z.iso.datetime().nullable(),
})
const revokedBody = z.object({ lane: name.nullable(), upstream: name })

interface Row {
  readonly id: string
  readonly lane: string | null
  readonly upstream: string
  readonly url: string
  readonly level: number
  readonly granted_at: Date
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
  readonly good: boolean
  readonly waits: boolean
}

/** What is cleared by signed acts: proposed here as a draft, granted when that is released, taken back at once and without a signature. */
export function clearanceRoutes(app: FastifyInstance, { outbox, house, onChange }: ClearanceRoutesDeps): void {
  const { pool } = outbox.database
  const list = async () => {
    const { rows } = await pool.query<Row>(`select id, lane, upstream, url, level, granted_at, expires_at, revoked_at,
      revoked_at is null and (expires_at is null or expires_at > clock_timestamp()) as good, acts_wait() is not null as waits from clearance order by granted_at desc, id`)
    return rows.map(({ good, waits, ...row }) => ({ ...row, state: good ? (!fits(house(), row) ? 'elsewhere' : waits ? 'fenced' : 'good') : row.revoked_at === null ? 'expired' : 'revoked' }))
  }

  app.get('/clearances', async () => ({ ok: true, data: await list() }))

  app.get('/lanes', async () => {
    const cleared = (await list()).filter(({ state }) => state === 'good')
    return {
      ok: true,
      data: house().lanes.map(({ name: lane, worker, cloudClearance, providers, redacts }) => ({
        name: lane, worker, cloud_clearance: cloudClearance, providers, redacts: redacts ?? false,
        cleared: cleared.filter((one) => one.lane === lane).map(({ upstream, expires_at }) => ({ upstream, expires_at })),
      })),
    }
  })

  app.post('/clearances', async (request, reply) => {
    const { lane, upstream, expires_at } = parseRequest(wantedBody, request.body)
    const proposed = await proposeClearance(outbox, house(), { lane, upstream, expiresAt: expires_at === null ? null : new Date(expires_at) })
    onChange()
    reply.code(201)
    return { ok: true, data: proposed }
  })

  app.post('/clearances/revoke', async (request) => {
    const { lane, upstream } = parseRequest(revokedBody, request.body)
    const { rows } = await pool.query<{ ids: string[] }>('select clearance_revoke($1, $2) as ids', [lane, upstream])
    const drafts = await openDraftsOf(pool, lane, upstream)
    const { ids } = rows[0]!
    if (ids.length === 0) {
      const waiting = drafts.length > 0 ? `; a draft is open that would clear it (${drafts.join(', ')}): deny it, or undo it while it is held` : ''
      throw new Fault('missing', 'clearance.missing', `${lane === null ? `${upstream} is not cleared as a machine of your own` : `${upstream} is not cleared for lane ${lane}; \`castellan lane clearances\` shows what is`}${waiting}`)
    }
    outbox.onChanged?.()
    await noteTakenBack(outbox, ids.map((id) => ({ id, document: null })))
    return { ok: true, data: { lane, upstream, state: 'revoked', drafts } }
  })
}

/** Drafts that would clear it again, should they be released. */
async function openDraftsOf(pool: OutboxDeps['database']['pool'], lane: string | null, upstream: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; wire: Buffer }>(`select id, wire from draft where state in ('waiting', 'signed', 'held', 'releasing') and kind = $1 order by frozen_at`, [lane === null ? 'model.own' : 'lane.clear'])
  return rows.filter(({ wire }) => {
    const act = readClearance(wire)
    return act.upstream === upstream && (act.act === 'model.own' || act.lane === lane)
  }).map(({ id }) => id)
}

/** Does the house still say the address that was signed? */
function fits({ settings }: House, { upstream, url }: Pick<Row, 'upstream' | 'url'>): boolean {
  return settings.models.upstreams.some((one) => one.name === upstream && one.url === url)
}
