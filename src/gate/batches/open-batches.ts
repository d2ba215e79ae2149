import type { GateName } from '../../labels/index.ts'
import type { BatchDeps } from './batch-routes.ts'
import { createBatchStore } from './batch-store.ts'
import { createFileStore } from './file-store.ts'
import { createLineStore } from './line-store.ts'
import { workOnBatches, type BatchWork, type WorkDeps } from './work-on-batches.ts'

export type Batches = BatchDeps['batches'] &
  BatchWork & {
    /** At the start, before anybody is let in: what the gate of before was doing is done again. */
    recover(): Promise<void>
  }

/** The batches of one gate: what its clients may ask about them, and the work on them. */
export function openBatches({ gate, ...deps }: Omit<WorkDeps, 'files' | 'lines'> & { readonly gate: GateName }): Batches {
  const of = { database: deps.database, gate }
  const files = createFileStore(of)
  const lines = createLineStore(of)
  const work = workOnBatches({ ...deps, files, lines })
  return {
    ...createBatchStore(of),
    ...work,
    files,
    async recover() {
      await files.recover()
      const lost = await lines.recover()
      if (lost > 0) deps.log.warn({ lines: lost }, 'lines of batches are asked again that were being asked when the gate ended')
    },
  }
}
