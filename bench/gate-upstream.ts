import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

// A model server that thinks no time at all, in a process of its own: OpenAI's chat completions. The model `held` says one word and then nothing until POST /release.

const words = 16
const event = (choices: object[], rest: object = {}) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'bench', choices, ...rest })}\n\n`
const delta = (content: object, finish: string | null = null) => event([{ index: 0, delta: content, finish_reason: finish }])
const usage = { prompt_tokens: 50, completion_tokens: words, total_tokens: 50 + words }
const first = delta({ role: 'assistant', content: 'word ' })
const next = delta({ content: 'word ' })
const last = `${delta({}, 'stop')}${event([], { usage })}data: [DONE]\n\n`
const whole = JSON.stringify({
  id: 'chatcmpl-bench', object: 'chat.completion', created: 1, model: 'bench', usage,
  choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(words), refusal: null }, finish_reason: 'stop' }],
})
const held = new Set<() => void>()

const server = createServer((request, response) => void answer(request, response))
server.keepAliveTimeout = 60_000

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body: Buffer[] = []
  for await (const bytes of request) body.push(bytes as Buffer)
  if (request.url === '/release') {
    for (const release of held) release()
    held.clear()
    return void response.end()
  }
  if (request.url === '/v1/models') return json(response, '{"object":"list","data":[{"id":"bench","object":"model"},{"id":"held","object":"model"}]}')
  const { stream, model } = JSON.parse(Buffer.concat(body).toString()) as { stream?: boolean; model?: string }
  if (!stream) return json(response, whole)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(first)
  if (model === 'held') await new Promise<void>((resolve) => held.add(resolve))
  for (let said = 1; said < words; said += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    response.write(next)
  }
  response.end(last)
}

function json(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send!({ port: (server.address() as AddressInfo).port })
process.on('disconnect', () => process.exit(0))
