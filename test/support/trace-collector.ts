import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CollectedSpan {
  readonly name: string
  readonly traceId: string
  readonly status: { readonly code?: number }
  readonly attributes: Readonly<Record<string, unknown>>
}

/** A collector of OTLP over HTTP that keeps what it is sent; `bytes` is all of it. */
export async function startCollector() {
  let [bytes, authorization] = ['', '']
  const spans: CollectedSpan[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    bytes += body
    authorization = request.headers.authorization ?? ''
    for (const { scopeSpans } of JSON.parse(body).resourceSpans) {
      for (const span of scopeSpans[0].spans) {
        spans.push({ ...span, attributes: Object.fromEntries(span.attributes.map(({ key, value }: { key: string; value: object }) => [key, Object.values(value)[0]])) })
      }
    }
    response.setHeader('content-type', 'application/json').end('{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, spans, bytes: () => bytes, authorization: () => authorization,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
