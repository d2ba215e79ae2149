import { compare } from './compare.ts'
import { benchDatabase } from './database.ts'
import type { Figure } from './figure.ts'
import { startSide } from './side.ts'

/** Durable work against its peers, on one PostgreSQL: runs of one step, and the queue alone. */
export async function measureRuns(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const database = await benchDatabase()
  try {
    const opened = await Promise.all([
      startSide('castellan-runs.ts', await database.empty('castellan_runs')),
      startSide('dbos-runs.ts', await database.empty('dbos_runs')),
      startSide('castellan-queue.ts', await database.empty('castellan_queue')),
      startSide('pg-boss-queue.ts', await database.empty('pg_boss_queue')),
    ])
    const [runs, dbos, queue, boss] = opened
    const durable = await compare({
      ours: runs, peer: dbos, peerName: 'DBOS', unit: 'runs/s', rounds, milliseconds: 3_000,
      cases: [
        { name: 'one-step runs, c=1', concurrency: 1, ratio: 2 },
        { name: 'one-step runs, c=8', concurrency: 8, ratio: 2 },
        { name: 'one-step runs, c=32', concurrency: 32, ratio: 3 },
      ],
      onProgress: (line) => onProgress(`runs: ${line}`),
    })
    const bare = await compare({
      ours: queue, peer: boss, peerName: 'pg-boss', unit: 'jobs/s', rounds, milliseconds: 2_000,
      cases: [{ name: 'queue alone, batches of 500', concurrency: 1, ratio: 0.8 }],
      onProgress: (line) => onProgress(`queue: ${line}`),
    })
    for (const side of opened) await side.close()
    return [...durable, ...bare]
  } finally {
    await database.stop()
  }
}
