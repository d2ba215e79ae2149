import { Fault } from '../fault.ts'

interface Target {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
}

/** A failure to get a connection, in words that say what to do. The password is never part of it. */
export function connectionFault(error: Error & { code?: string }, { host, port, database, user }: Target): Fault {
  const where = host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`
  const details = { host, port, database, user, cause: error.message }
  const unavailable = (what: string) => new Fault('unavailable', 'database.unavailable', `${what} (${where})`, details, error)
  const refused = (what: string) => new Fault('refused', 'database.refused', `${what} (${where})`, details, error)
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return unavailable('the database does not run; start it with `castellan up`, or correct `database` in castellan.yaml')
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return unavailable('the machine of the database cannot be reached; see `database` in castellan.yaml')
    case 'EACCES':
      return refused('this user may not open the socket of the database')
    case '57P03':
      return unavailable('the database is starting or stopping; try again in a moment')
    case '53300':
      return unavailable('the database has no connection left; raise max_connections, or close other clients')
    case '53100':
      return unavailable('the disk of the database is full')
    case '28P01':
    case '28000':
      return refused(`the database refused the password of role ${user}; \`castellan up\` sets the passwords anew at its start`)
    case '3D000':
      return refused(`there is no database ${database}; \`castellan up\` makes it`)
    case '42501':
      return refused(`role ${user} may not connect to database ${database}`)
  }
  if (/^timeout exceeded when trying to connect$/.test(error.message)) {
    return unavailable('every connection of this process stayed in use for too long; a query hangs, or the pool is too small')
  }
  if (/timeout/i.test(error.message)) return unavailable('the database did not answer in time')
  return unavailable(`no connection to the database: ${error.message}`)
}
