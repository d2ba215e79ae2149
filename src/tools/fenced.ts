import { Fault } from '../kernel/fault.ts'

const fenceLost = 'CA409'

/** Says of a write that PostgreSQL refused, because another executor holds the run, that it was this. */
export async function fenced<T>(run: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if ((error as { code?: string }).code !== fenceLost) throw error
    throw new Fault('conflict', 'run.fence_lost', `run ${run} was taken over by another executor; this one writes nothing any more`, { run }, error)
  }
}
