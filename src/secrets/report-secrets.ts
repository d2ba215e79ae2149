import { toFault } from '../kernel/fault.ts'
import type { SecretSource } from '../house/index.ts'
import { describeSecrets, type SecretState } from './describe-secrets.ts'
import { openSecretFolder } from './secret-folder.ts'
import { openRecords } from './secret-records.ts'

/** Names and dates, for those who remind the operator; never a value. */
export interface SecretReport {
  readonly states: readonly SecretState[]
  /** Why nothing can be said. */
  readonly problem: string | null
  /** The system hands them to each unit, out of sight of `up`: nothing is known here, and nothing is wrong. */
  readonly unseen?: true
}

/** Of a house whose processes are units. */
export const unseenSecrets: SecretReport = { states: [], problem: null, unseen: true }

/** How the secrets of a home are. What is wrong with them stops nobody from starting. */
export function reportSecrets(home: string, sources: readonly SecretSource[], users: ReadonlyMap<string, readonly string[]>, now: Date): SecretReport {
  try {
    const folder = openSecretFolder(home)
    return { states: describeSecrets({ sources, users, files: folder.list(), unfinished: folder.unfinished(), recordOf: openRecords(folder).of }, now), problem: null }
  } catch (error) {
    return { states: [], problem: toFault(error).message }
  }
}
