import { readFileSync } from 'node:fs'
import type { SystemUser } from '../../src/kernel/database/embedded-binaries.ts'

/** Whom a test that was started as root runs PostgreSQL as. */
export function unprivilegedUser(): SystemUser {
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'))
  for (const wanted of ['postgres', 'nobody']) {
    const entry = entries.find(([name]) => name === wanted)
    if (entry) return { name: wanted, uid: Number(entry[2]), gid: Number(entry[3]) }
  }
  throw new Error('the tests run as root, and /etc/passwd has neither "postgres" nor "nobody" to start PostgreSQL as')
}
