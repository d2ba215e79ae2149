import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Fault } from '../kernel/fault.ts'
import { processNames, type ProcessName } from './boot.ts'

/** A system user that one process runs as. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

export type AccountOwner = ProcessName | 'database'

export const owners: readonly AccountOwner[] = ['database', ...processNames]

/**
 * One system account for each process, made where it is missing. Only root can do this; PostgreSQL needs an entry in
 * the user database, and a registered uid is one that nobody else is given later.
 * @throws Fault `account.missing` when useradd is not there or refuses
 */
export function ensureAccounts(): Map<AccountOwner, Account> {
  let known = readAccounts()
  for (const owner of owners) {
    if (known.has(accountName(owner))) continue
    createAccount(accountName(owner))
    known = readAccounts()
  }
  return new Map(owners.map((owner) => [owner, known.get(accountName(owner))!]))
}

/** The accounts that an installation made. @throws Fault `account.missing` */
export function installedAccounts(): Map<AccountOwner, Account> {
  const known = readAccounts()
  const missing = owners.map(accountName).filter((name) => !known.has(name))
  if (missing.length > 0) throw new Fault('unavailable', 'account.missing', `there is no user ${missing.join(', ')}; run \`castellan service install\` and what it says (systemd-sysusers)`)
  return new Map(owners.map((owner) => [owner, known.get(accountName(owner))!]))
}

export function accountName(owner: AccountOwner): string {
  return `castellan-${owner}`
}

function createAccount(name: string): void {
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', name], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  } catch (error) {
    if (readAccounts().has(name)) return // another home made it at the same moment
    const reason = (error as { stderr?: Buffer }).stderr?.toString().trim() || (error as Error).message
    throw new Fault('unavailable', 'account.missing', `could not make the system account "${name}": ${reason}. Make it by hand (useradd --system --user-group ${name}), or start Castellan as an ordinary user`)
  }
}

function readAccounts(): Map<string, Account> {
  const accounts = new Map<string, Account>()
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name?.startsWith('castellan-')) accounts.set(name, { name, uid: Number(uid), gid: Number(gid) })
  }
  return accounts
}
