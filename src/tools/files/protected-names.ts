import { isAbsolute, relative, sep } from 'node:path'
import { Fault } from '../../kernel/fault.ts'

/** Names behind which secrets and keys lie. Compared in lower case, part by part. */
const secret: readonly RegExp[] = [
  /^\.env(\..*)?$/, /^id_[a-z0-9_-]+(\.pub)?$/, /\.(pem|key|p8|p12|pfx|jks|keystore|kdbx|ppk|age|gpg|asc|ovpn)$/,
  /^\.(ssh|gnupg|git|aws|azure|kube|docker|config|password-store|netrc|npmrc|pypirc|pgpass|vault-token|git-credentials|htpasswd)$/,
  /^(credentials|secrets)(\.(json|ya?ml|toml|ini))?$/, /^authorized_keys$/, /^known_hosts$/, /^shadow$/,
]
/** The configuration of a house, wherever one lies. */
const configuration = /^(castellan|labels)\.ya?ml$/
const houseFolders = ['jobs', 'agents', 'prompts']
const longestPath = 1_000
const deepest = 32

/** Places of Castellan itself that no tool sees, whatever the house declares. Absolute, symbolic links resolved. */
export interface ProtectedPlaces {
  /** The operator's folder of configuration. */
  readonly house: string
  /** $CASTELLAN_HOME, the source, and whatever else must stay closed unless a declared folder lies in it. */
  readonly roots: readonly string[]
}

/** The parts of a path inside a declared folder. Anything that is not plainly inside is refused. */
export function partsOf(path: string): string[] {
  if (path.includes('\0') || path.length > longestPath) throw bad(path, 'it holds a null byte or is too long')
  if (isAbsolute(path) || /^[a-z]:/i.test(path) || path.includes('\\')) throw bad(path, 'it is not relative to the folder, with /')
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw bad(path, 'it leads upwards')
  if (parts.length > deepest || parts.some((part) => Buffer.byteLength(part) > 255)) throw bad(path, 'it is too deep or has too long a name')
  return parts
}

/** Is this a name that tools do not see? */
export function isProtectedName(name: string): boolean {
  const lower = name.toLowerCase()
  return secret.some((pattern) => pattern.test(lower)) || configuration.test(lower) || lower.startsWith('.castellan-')
}

/** Refuses what holds secrets, keys or Castellan's own configuration. `real` has no symbolic links left; `root` is the declared folder's. */
export function assertOpen(real: string, root: string, places: ProtectedPlaces): void {
  if (!isInside(real, root)) throw refused('it lies outside of the declared folder')
  const inFolder = relative(root, real).split(sep)
  if (inFolder.some(isProtectedName)) throw refused('names like this one hold secrets, keys or configuration')
  if (houseFolders.some((folder) => isInside(real, `${places.house}${sep}${folder}`))) throw refused('jobs, agents and prompts are changed by the operator alone')
  for (const closed of places.roots) {
    if (isInside(real, closed) && !isInside(root, closed)) throw refused("it belongs to Castellan's own state or source")
  }
}

export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}

function bad(path: string, why: string): Fault {
  return new Fault('invalid', 'files.path', `${JSON.stringify(path.slice(0, 200))} is not a path in a declared folder: ${why}; write e.g. notes/today.md`)
}

function refused(why: string): Fault {
  return new Fault('refused', 'files.protected', `this file is not for tools: ${why}`)
}
