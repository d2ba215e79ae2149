import { chmodSync, lstatSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { Fault } from '../kernel/fault.ts'

/**
 * Listens on a Unix socket that only its owner (and root) can open: whoever connects has passed the folder's permission.
 * @throws Fault `socket.open` when the folder lets others in, `socket.taken` when something else stands there
 */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  const folder = dirname(path)
  const { mode, uid } = statSync(folder)
  if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) {
    throw new Fault('refused', 'socket.open', `${folder} lets other users in (mode ${(mode & 0o7777).toString(8)}, uid ${uid}); it must be 0700 and belong to uid ${process.getuid?.()}`)
  }
  removeStale(path)
  await app.listen({ path })
  chmodSync(path, 0o600)
}

/** What a killed process left there; there is one `up` for each home, so nobody listens on it any more. */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Fault('refused', 'socket.taken', `${path} is not a socket; remove it, it is not Castellan's`)
  rmSync(path)
}
