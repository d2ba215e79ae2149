import { posix } from 'node:path'

/** The system's own, devices, the state of processes, and where keys lie. */
const places = [
  '/etc', '/proc', '/sys', '/dev', '/boot', '/root', '/run', '/var', '/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt', '/snap', '/lost+found', '/efi', '/esp',
  '/System', '/Library', '/Applications', '/private/etc', '/private/var',
]
const harmless = /^\/dev\/(?:null|zero|full|u?random|stdin|stdout|stderr)$/
const keys = /(?:^|\/)\.(?:ssh|gnupg|aws|azure|kube|docker|password-store|mozilla|netrc|pgpass|my\.cnf|git-credentials)(?:\/|$)/i
/** Where a path can begin within an argument, and where it ends: `--file=/etc/x`, `a:/b`, `-f/etc/x`, `if=/dev/sda`, `@/etc/x`. */
const delimiters = /[\s"'`=:,;|<>()[\]{}@&]+/

/**
 * The first path in an argument that names something of the system, or nothing. By its words alone: what a symbolic link leads to is for
 * the sandbox, in which none of it is there. `open` are folders that the house declares for the command.
 */
export function systemPathIn(argument: string, cwd: string, open: readonly string[]): string | undefined {
  return pathsIn(argument).find((written) => {
    const path = posix.resolve(cwd, written)
    if (keys.test(path)) return true
    if (harmless.test(path) || open.some((folder) => isWithin(path, folder))) return false
    return path === '/' || places.some((place) => isWithin(path, place))
  })
}

/** Everything in it that is an absolute path, or leads upwards. */
function pathsIn(argument: string): string[] {
  return [argument, ...argument.split(delimiters)].flatMap((part) => {
    // of `-f/etc/x` and `-I../x` the letter is an option; of `s3/etc` it is a name
    const bare = /^-{1,2}[A-Za-z0-9]*?(?=\/|\.\.?(?:\/|$)|~)/.exec(part)
    return [part, ...(bare ? [part.slice(bare[0].length)] : [])].filter((path) => path.startsWith('/') || /(?:^|\/)\.\.(?:\/|$)/.test(path) || keys.test(path))
  })
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}
