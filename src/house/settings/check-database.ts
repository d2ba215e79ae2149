import type { Problem } from '../problem.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'

/** Passwords in the file, and two processes under one database user: then nothing would keep them apart. */
export function checkDatabase(file: CastellanFile, source: YamlSource): Problem[] {
  if (file.database === 'embedded') return []
  const users = new Map<string, string>()
  return Object.entries(file.database.urls).flatMap(([role, value]) => {
    if (typeof value !== 'string') return []
    const at = ['database', 'urls', role]
    if (!URL.canParse(value)) return [source.problem(at, 'this is not a URL', 'write postgresql://user@host:5432/database')]
    const url = new URL(value)
    if (url.password !== '' || url.searchParams.has('password')) {
      return [source.problem(at, 'a password does not belong into the house, which git remembers', `put the whole URL into $CASTELLAN_HOME/secrets/database_${role} and write { secret: database_${role} }`)]
    }
    const user = url.username || (url.searchParams.get('user') ?? '')
    const other = users.get(user)
    users.set(user, role)
    if (user === '') return [source.problem(at, 'this URL names no user', 'write postgresql://user@host:5432/database')]
    return other === undefined ? [] : [source.problem(at, `${role} and ${other} would be the same database user ${user}`, 'give each role a user of its own')]
  })
}
