import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A secret of the operator who types the command: a file that the system lets him read anyway. Nobody is asked for it, so that what a process holds
 * cannot be had through its socket. Undefined when it is not there, not his, or open to others.
 */
export function ownSecret(home: string, name: string): string | undefined {
  const path = join(home, 'secrets', name)
  try {
    return (statSync(path).mode & 0o077) === 0 ? readFileSync(path, 'utf8').trim() : undefined
  } catch {
    return undefined
  }
}
