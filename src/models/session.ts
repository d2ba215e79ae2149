import { createHash } from 'node:crypto'
import type { Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import { fromRow, lanesByName, type Label, type Lane, type Lanes, type Level, type Provider } from '../labels/index.ts'

/** Who asks: the run behind a key with the lane and label that it has now, or a client with what its key allows. */
export interface Session {
  /** Of the session of a run, or of the key of a client. */
  readonly id: string
  readonly keyHash: Buffer
  readonly run: string | null
  readonly job: string | null
  readonly client?: Client
  /** The batch of a client, one line of which asks: in the ledger, and behind everybody who waits for an upstream. */
  readonly batch?: string
  readonly lane: string
  /** Who executes runs of that lane. */
  readonly worker: 'open' | 'private'
  readonly label: Label
  readonly lanes: Lanes
  /** Machines that the operator has signed to be his own. */
  readonly owned: readonly Provider[]
  /** All that the database said of it, as it said it: a call is only opened while it still says the same. */
  readonly said: string
}

/** A program outside the house. */
export interface Client {
  readonly name: string
  /** The highest label that a call of its may carry. */
  readonly maxLevel: Level
  /** `upstream/model`, with `*` for any characters; none: whatever label and lane allow. */
  readonly models: readonly string[]
}

interface Found {
  readonly id: string
  readonly run: string | null
  readonly job: string | null
  readonly client?: { readonly name: string; readonly max_level: Level; readonly models: readonly string[] }
  readonly lane: string
  readonly worker: 'open' | 'private'
  readonly label: { readonly level: number; readonly integrity: string; readonly lanes: string[] }
  /** What the operator has cleared by signed acts: lane (null: a machine of his own), upstream, url. */
  readonly clearances: readonly (readonly [lane: string | null, upstream: string, url: string])[]
}

interface LaneColumns {
  readonly name: string
  readonly worker: 'open' | 'private'
  readonly cloud_clearance: Lane['cloudClearance']
  readonly providers: string[]
  readonly redacts: boolean
}

/** The hash by which the database knows a key. */
export function hashOfKey(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest()
}

/**
 * The session of a key, with the label of this moment; nothing once its run is closed or taken over, or the key too old, revoked, or of the other gate.
 * @throws Fault `outbox.fenced`, `gate.not_compared` for a client's key, while nobody knows whether it was revoked
 */
export async function findSession({ pool }: Pick<Database, 'pool'>, keyHash: Buffer): Promise<Session | undefined> {
  // in one statement: a key that counts again between two of them would be taken for one that is over
  const { rows } = await pool.query<{ said: string | null; why: Waiting | null; lanes: LaneColumns[] | null }>({
    name: 'find-session',
    text: `select said, case when said is null then key_waits($1) end as why, (select jsonb_agg(lane) from lane) as lanes
      from (select session_find($1)::text as said offset 0) as found`,
    values: [keyHash],
  })
  const { said, why, lanes } = rows[0]!
  if (why !== null) throw waitingFault(why)
  if (said === null) return undefined
  const { id, run, job, lane: its, worker, label, client, clearances } = JSON.parse(said) as Found
  const clearedFor = (lane: string | null): Provider[] => clearances.filter(([name]) => name === lane).map(([, name, url]) => ({ name, url }))
  return {
    id, run, job, lane: its, worker, keyHash, said,
    ...(client && { client: { name: client.name, maxLevel: client.max_level, models: client.models } }),
    label: fromRow({ label_level: label.level, label_integrity: label.integrity, label_lanes: label.lanes }),
    owned: clearedFor(null),
    lanes: lanesByName(
      (lanes ?? []).map(({ name, worker, cloud_clearance, providers, redacts }) => ({ name, worker, cloudClearance: cloud_clearance, cleared: clearedFor(name), providers, redacts })),
    ),
  }
}

type Waiting = 'fenced' | 'not_compared'

/** Whoever shows a key that may have been revoked is told why it opens nothing; nobody else is told anything. */
function waitingFault(why: Waiting): Fault {
  return why === 'fenced'
    ? new Fault('unavailable', 'outbox.fenced', 'no key opens anything now: an older copy of the database came back, and it does not know which were revoked since. Look at them and sign that they count again: castellan outbox resume')
    : new Fault('unavailable', 'gate.not_compared', 'the house is starting: no key opens anything before the releaser has looked whether this database is an older copy. Try again in a moment; if it stays so: castellan status', { retryAfter: 2 })
}

/** Sessions that were found a moment ago, so that a client's next request need not ask the database who it is. */
export interface Sessions {
  /** `freshly`: what the database says now. Otherwise it may be what it said up to two seconds ago: enough to read a body for, and to plan by, since a call is opened only while the database still says the same; not to give out what is kept. */
  find(keyHash: Buffer, how?: { freshly: boolean }): Promise<Session | undefined>
}

/** The session as it is now, for the same batch. */
export async function findAnew(sessions: Pick<Sessions, 'find'>, { keyHash, batch }: Session): Promise<Session | undefined> {
  const found = await sessions.find(keyHash, { freshly: true })
  return found && batch !== undefined ? { ...found, batch } : found
}

const rememberedMs = 2_000
const mostRemembered = 1_000

export function rememberSessions(database: Pick<Database, 'pool'>, now: () => number = () => performance.now()): Sessions {
  const remembered = new Map<string, { readonly session: Session; readonly until: number }>()
  return {
    async find(keyHash, { freshly } = { freshly: false }) {
      const name = keyHash.toString('latin1')
      const known = remembered.get(name)
      if (!freshly && known && now() < known.until) return known.session
      const until = now() + rememberedMs
      const session = await findSession(database, keyHash)
      remembered.delete(name)
      // those that were asked about longest ago are the first of the map
      for (const [oldest, { until: end }] of remembered) {
        if (remembered.size < mostRemembered && end > now()) break
        remembered.delete(oldest)
      }
      if (session) remembered.set(name, { session, until })
      return session
    },
  }
}

/** The key opens nothing, or no longer. */
export function sessionUnknown(): Fault {
  return new Fault('refused', 'session_unknown', 'this key opens nothing here: it is unknown or too old, or its run has ended or was taken over. A run gets a new key each time it is taken up')
}
