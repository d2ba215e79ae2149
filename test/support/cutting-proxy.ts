import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** Of the next request that changes something: it is done at the other side, and its answer is lost, or becomes a failure. */
export type Loss = 'lost' | 500

/** Stands before a real server of loopback, and loses answers of it. What it is sent arrives there byte for byte. */
export async function startCuttingProxy(t: TestContext, port: number): Promise<{ readonly port: number; lose(how: Loss): void }> {
  let next: Loss | undefined
  const proxy = createServer((asked, answer) => {
    const changes = asked.method === 'PUT' || asked.method === 'DELETE' || asked.method === 'POST'
    const how = changes ? next : undefined
    if (changes) next = undefined
    const onward = request({ host: '127.0.0.1', port, method: asked.method, path: asked.url, headers: asked.headers, agent: false }, (said) => {
      if (how === 'lost') {
        said.resume().once('end', () => asked.socket.destroy())
      } else if (how === undefined) {
        answer.writeHead(said.statusCode!, said.headers)
        said.pipe(answer)
      } else said.resume().once('end', () => answer.writeHead(how).end())
    })
    onward.on('error', () => asked.socket.destroy())
    asked.pipe(onward)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.after(() => proxy.closeAllConnections())
  t.after(() => proxy.close())
  return { port: (proxy.address() as AddressInfo).port, lose: (how) => void (next = how) }
}
