import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Where Castellan keeps its state: `$CASTELLAN_HOME`, else /var/lib/castellan as root (other users must be able to
 * reach their own folder in it, and /root lets nobody through), else the XDG state folder.
 */
export function resolveHome(env: NodeJS.ProcessEnv = process.env, uid: number = process.getuid?.() ?? -1): string {
  if (env.CASTELLAN_HOME) return resolve(env.CASTELLAN_HOME)
  if (uid === 0) return '/var/lib/castellan'
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'castellan')
}
