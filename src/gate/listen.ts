import { chmod, lstat, unlink } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Fault } from '../kernel/fault.ts'

/** Listens on a loopback port, 0 for any. Returns its address. */
export async function listenOnLoopback(app: FastifyInstance, port: number, setting: string): Promise<string> {
  try {
    await app.listen({ host: '127.0.0.1', port })
  } catch (error) {
    if ((error as { code?: string }).code !== 'EADDRINUSE') throw error
    throw new Fault('conflict', 'port.taken', `port ${port} is in use by another program; stop it, or set ${setting} in castellan.yaml`, { port }, error)
  }
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

/** Listens on a Unix socket, over what a process that died left there. Who may connect is decided by the folder that it is in. */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found && !found.isSocket()) throw new Fault('conflict', 'socket.taken', `${path} is not a socket; move it away`, { path })
  if (found) await unlink(path)
  await app.listen({ path })
  await chmod(path, 0o666)
}
