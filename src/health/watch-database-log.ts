import { roles } from '../kernel/database/roles.ts'
import { followFile, readLogLine } from './database-log.ts'
import type { Reporter } from './reporter.ts'

/** Codes of what a role may not do: insufficient_privilege, and our guard of labels. */
const refusals: readonly string[] = ['42501', 'CA001']
/** invalid_password, invalid_authorization_specification. */
const signins: readonly string[] = ['28P01', '28000']

const lookMs = 1_000

/**
 * The work of a loop: counts what PostgreSQL says it refused, by role. A process that was taken over reports nothing of itself; the server
 * that it asks does. Only our roles have names here, so that who connects under another cannot choose what stands in an alert.
 */
export function createDatabaseLogWatch(logFile: string, reporter: Pick<Reporter, 'note'>): () => Promise<number> {
  const look = followFile(logFile)
  return async () => {
    const { lines, more } = look()
    for (const line of lines) {
      const refused = readLogLine(line)
      if (refused === undefined) continue
      const { code, role } = refused
      if (signins.includes(code)) reporter.note('signin.failed', 'database', { code })
      else if (refusals.includes(code) && roles.some((one) => one === role)) reporter.note('database.refused', role, { code })
    }
    return more ? 0 : lookMs
  }
}
