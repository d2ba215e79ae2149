import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the ports that systems give to whoever asks for any (32768 and up on Linux, 49152 and up elsewhere). */
const [first, last] = [20_000, 32_000] as const

/**
 * A port of 127.0.0.1 for a setting that has to say it beforehand. Until the setting is read nobody has it, and nobody must get it: it is none of those that
 * the servers and connections of other tests are given, and two tests draw the same one seldom enough.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, last)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const isOpen = await new Promise<boolean>((resolve) => server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)))
  if (isOpen) await new Promise((resolve) => server.close(resolve))
  return isOpen
}
