import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startModelServer, type Misbehaviour } from '../../test/support/model-server.ts'
import type { Fault } from '../kernel/fault.ts'
import type { ChatRequest } from './chat.ts'
import { createGemini } from './gemini.ts'
import { createOllama } from './ollama.ts'
import { createOpenai } from './openai.ts'
import { collect, isFault } from './upstream.contract.ts'
import type { Upstream } from './upstream.ts'

const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
after(() => server.close())

const timeouts = { connect: 2_000, firstByte: 700, idle: 700 }
const adapters: Record<string, () => Upstream> = {
  gemini: () => createGemini({ name: 'it', kind: 'gemini', url: `${server.url}/v1beta`, zone: 'machine', timeouts }),
  ollama: () => createOllama({ name: 'it', kind: 'ollama', url: server.url, zone: 'machine', timeouts }),
  openai: () => createOpenai({ name: 'it', kind: 'openai', url: `${server.url}/v1`, zone: 'machine', timeouts }),
}
const ask: ChatRequest = { model: 'scripted:latest', messages: [{ role: 'user', content: 'Hello' }] }
const signal = new AbortController().signal

const cases: readonly [Misbehaviour, Fault['kind'], string][] = [
  [{ kind: 'status', status: 500 }, 'unavailable', 'upstream.failed'],
  [{ kind: 'status', status: 503 }, 'unavailable', 'upstream.failed'],
  [{ kind: 'status', status: 302 }, 'unavailable', 'upstream.redirected'],
  [{ kind: 'status', status: 429, retryAfter: 7 }, 'unavailable', 'upstream.limited'],
  [{ kind: 'status', status: 401 }, 'unavailable', 'upstream.key'],
  [{ kind: 'status', status: 400, message: 'the input length exceeds the context length' }, 'invalid', 'upstream.rejected'],
  [{ kind: 'stall' }, 'timeout', 'upstream.first_byte'],
  [{ kind: 'pause', after: 1 }, 'timeout', 'upstream.idle'],
  [{ kind: 'die', after: 1 }, 'unavailable', 'upstream.unreachable'],
  [{ kind: 'cut', after: 1 }, 'unavailable', 'upstream.died'],
  [{ kind: 'error', after: 1, message: 'out of memory' }, 'unavailable', 'upstream.failed'],
  [{ kind: 'malformed', after: 1 }, 'unavailable', 'upstream.malformed'],
]

for (const [name, open] of Object.entries(adapters)) {
  for (const [misbehaves, kind, code] of cases) {
    test(`${name}: ${JSON.stringify(misbehaves)} is ${kind} ${code}`, async () => {
      const upstream = open()
      server.next({ text: ['one ', 'two'], misbehaves })
      await assert.rejects(collect(upstream.chat(ask, signal)), isFault(kind, code))
      server.release()
      await upstream.close()
    })
  }

  test(`${name}: a slow answer is an answer, as long as it goes on`, async () => {
    const upstream = open()
    server.next({ text: ['a', 'b', 'c', 'd'], misbehaves: { kind: 'slow', milliseconds: 60 } })
    const chunks = await collect(upstream.chat(ask, signal))
    assert.equal(chunks.filter((chunk) => chunk.kind === 'text').length, 4)
    await upstream.close()
  })

  test(`${name}: a reader who takes longer than the idle time is not a silent upstream`, async () => {
    const upstream = open()
    server.next({ text: ['a', 'b', 'c'] })
    let read = 0
    for await (const chunk of upstream.chat(ask, signal)) {
      if (read === 0) await new Promise((resolve) => setTimeout(resolve, timeouts.idle * 2))
      if (chunk.kind === 'text') read += 1
    }
    assert.equal(read, 3)
    await upstream.close()
  })

  test(`${name}: a server that is not there is unreachable, and is found again when it is`, async () => {
    const upstream = open()
    await server.down()
    await assert.rejects(collect(upstream.chat(ask, signal)), isFault('unavailable', 'upstream.unreachable'))
    await assert.rejects(upstream.models(), isFault('unavailable', 'upstream.unreachable'))
    await server.up()
    assert.equal((await upstream.models()).length, 1)
    await collect(upstream.chat(ask, signal))
    await upstream.close()
  })

  test(`${name}: a caller who stops reading hangs up on the upstream`, async () => {
    const upstream = open()
    server.next({ text: ['a', 'b'], misbehaves: { kind: 'pause', after: 1 } })
    for await (const chunk of upstream.chat(ask, signal)) {
      if (chunk.kind === 'text') break
    }
    assert.equal(await server.calls().at(-1)!.over, 'abandoned')
    server.release()
    await upstream.close()
  })
}

test('the wait that a limited upstream asks for is handed on', async () => {
  const upstream = adapters['openai']!()
  server.next({ misbehaves: { kind: 'status', status: 429, retryAfter: 7 } })
  await assert.rejects(collect(upstream.chat(ask, signal)), (error: Fault) => error.details['retryAfter'] === 7)
  // a date, by the clock of the upstream; and from one that is overloaded
  const inAMinute = new Date(Date.now() + 60_000).toUTCString()
  server.next({ misbehaves: { kind: 'status', status: 503, retryAfter: inAMinute } })
  await assert.rejects(collect(upstream.chat(ask, signal)), ({ details }: Fault) => Number(details['retryAfter']) > 55 && Number(details['retryAfter']) < 65)
  await upstream.close()
})
