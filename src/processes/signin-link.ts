import { text } from 'node:stream/consumers'
import { request } from '../kernel/node-http.ts'

/** A link that signs the operator's browser in once, made over the server's own socket; undefined where the server does not answer. */
export function signinLink(serverSocket: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: serverSocket, path: '/api/signin/link', method: 'POST', timeout: 2_000, agent: false }, (response) => {
      text(response).then((body) => resolve(urlIn(body)), () => resolve(undefined))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(undefined))
    asked.end()
  })
}

function urlIn(body: string): string | undefined {
  const { data } = JSON.parse(body) as { data?: { url: string } }
  return data?.url
}
