import { createHash } from 'node:crypto'
import type { Database } from '../kernel/database/connect.ts'
import { fromRow, lanesByName, type Label, type Lane, type Lanes } from '../labels/index.ts'

/** Who asks: the run behind a key, with the lane and label that it has now. */
export interface Session {
  readonly id: string
  readonly keyHash: Buffer
  readonly run: string
  readonly job: string
  readonly lane: string
  /** Who executes runs of that lane. */
  readonly worker: 'open' | 'private'
  readonly label: Label
  readonly lanes: Lanes
}

interface Found {
  readonly id: string
  readonly run: string
  readonly job: string
  readonly lane: string
  readonly worker: 'open' | 'private'
  readonly label: { readonly level: number; readonly integrity: string; readonly lanes: string[] }
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

/** The session of a key, with the label of this moment; nothing once its run is closed, taken over, or the key too old. */
export async function findSession({ pool }: Pick<Database, 'pool'>, keyHash: Buffer): Promise<Session | undefined> {
  const { rows } = await pool.query<{ session: Found | null; lanes: LaneColumns[] | null }>({
    name: 'find-session',
    text: 'select session_find($1) as session, (select jsonb_agg(lane) from lane) as lanes',
    values: [keyHash],
  })
  const { session, lanes } = rows[0]!
  if (!session) return undefined
  const { label, ...rest } = session
  return {
    ...rest,
    keyHash,
    label: fromRow({ label_level: label.level, label_integrity: label.integrity, label_lanes: label.lanes }),
    lanes: lanesByName(
      (lanes ?? []).map(({ name, worker, cloud_clearance, providers, redacts }) => ({ name, worker, cloudClearance: cloud_clearance, providers, redacts })),
    ),
  }
}
