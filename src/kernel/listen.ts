import { chmodSync, lstatSync, rmSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { Fault } from './fault.ts'

/** As much of a server as it takes to make it listen. */
export interface Listener {
  listen(where: { host?: string; port?: number; path?: string }): Promise<string>
  readonly server: { address(): AddressInfo | string | null }
}

/**
 * Who may connect to a socket is decided by the folder that it is in; the socket itself is open to whoever got that far.
 * `owner`: one user (and root). `group`: also who is of the folder's group, and may pass through it but not list or change it.
 */
export type MayEnter = 'owner' | 'group'

const doors: Readonly<Record<MayEnter, { forbidden: number; folder: string; socket: number }>> = {
  owner: { forbidden: 0o077, folder: '0700', socket: 0o600 },
  group: { forbidden: 0o067, folder: '0700 or 0710', socket: 0o666 },
}

/** Listens on a port of 127.0.0.1, 0 for any, and returns its address. @throws Fault `port.taken`, naming the setting that mends it */
export async function listenOnLoopback(app: Listener, port: number, setting: string): Promise<string> {
  try {
    await app.listen({ host: '127.0.0.1', port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Fault('conflict', 'port.taken', `port ${port} on 127.0.0.1 is taken by another program; stop it, or set \`${setting}\` in castellan.yaml`, { port }, error)
  }
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

/**
 * Listens on a Unix socket, over what a process that died left there.
 * @throws Fault `socket.open` when the folder lets others in, `socket.taken` when something else stands there
 */
export async function listenOnSocket(app: Listener, path: string, mayEnter: MayEnter): Promise<void> {
  const door = doors[mayEnter]
  const folder = dirname(path)
  const { mode, uid } = statSync(folder)
  const own = process.getuid?.()
  if ((mode & door.forbidden) !== 0 || uid !== own) {
    throw new Fault('refused', 'socket.open', `${folder} lets other users in (mode ${(mode & 0o7777).toString(8)}, uid ${uid}); it must be ${door.folder} and belong to uid ${own}`)
  }
  removeStale(path)
  await app.listen({ path })
  chmodSync(path, door.socket)
}

/** What a killed process left there; there is one `up` for each home, so nobody listens on it any more. */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Fault('conflict', 'socket.taken', `${path} is not a socket; move it away, it is not Castellan's`, { path })
  rmSync(path)
}
