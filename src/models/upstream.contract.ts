import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../kernel/fault.ts'
import type { ChatChunk, ChatRequest } from './chat.ts'
import type { Upstream } from './upstream.ts'

export interface UpstreamUnderTest {
  readonly upstream: Upstream
  /** An installed model that answers in text. */
  readonly model: string
  readonly close?: () => Promise<void>
}

/** What every adapter promises about a server that is well. Runs on the scripted server and on a real one. */
export function upstreamContract(name: string, open: () => Promise<UpstreamUnderTest>): void {
  const request = (model: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
    model,
    messages: [{ role: 'user', content: 'Say good morning in two words.' }],
    maxTokens: 200,
    ...more,
  })
  const under = (title: string, body: (given: UpstreamUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const given = await open()
      await body(given)
      await given.close?.()
    })

  under('it lists its models with the zone that each runs in', async ({ upstream, model }) => {
    const listed = (await upstream.models()).find((known) => known.name === model)
    assert.deepEqual(listed, { name: model, zone: upstream.zone, embedding: false })
  })

  under('an answer is text, one finish, and at most one usage after it', async ({ upstream, model }) => {
    const chunks = await collect(upstream.chat(request(model), new AbortController().signal))
    assert.ok(textOf(chunks).length > 0)
    assert.equal(chunks.filter((chunk) => chunk.kind === 'finish').length, 1)
    const [finish, ...rest] = chunks.slice(chunks.findIndex((chunk) => chunk.kind === 'finish'))
    assert.ok(finish?.kind === 'finish' && ['stop', 'length'].includes(finish.reason))
    for (const chunk of rest) assert.ok(chunk.kind === 'usage' && chunk.inputTokens > 0 && chunk.outputTokens > 0)
    assert.ok(rest.length <= 1)
  })

  under('a conversation with a system message, an answer and images left out is taken', async ({ upstream, model }) => {
    const messages: ChatRequest['messages'] = [
      { role: 'system', content: 'You are terse.' },
      { role: 'user', content: [{ type: 'text', text: 'Hello' }, { type: 'text', text: 'there' }] },
      { role: 'assistant', content: 'Hi.' },
      { role: 'user', content: 'Again.' },
    ]
    assert.ok(textOf(await collect(upstream.chat(request(model, { messages }), new AbortController().signal))).length > 0)
  })

  under('a model that it does not have is missing', async ({ upstream }) => {
    await assert.rejects(collect(upstream.chat(request('castellan-has-no-such-model:1b'), new AbortController().signal)), isFault('missing', 'upstream.model'))
  })

  under('a call that was aborted before it began throws the reason of its signal', async ({ upstream, model }) => {
    const reason = new Error('not any more')
    await assert.rejects(collect(upstream.chat(request(model), AbortSignal.abort(reason))), reason)
  })

  under('a call that is aborted in the middle throws the reason of its signal', async ({ upstream, model }) => {
    const controller = new AbortController()
    const reason = new Error('enough')
    await assert.rejects(async () => {
      for await (const chunk of upstream.chat(request(model, { messages: [{ role: 'user', content: 'Count to one thousand.' }] }), controller.signal)) {
        if (chunk.kind !== 'finish' && chunk.kind !== 'usage') controller.abort(reason)
      }
    }, reason)
  })

  under('calls at once do not mix', async ({ upstream, model }) => {
    const answers = await Promise.all([1, 2, 3].map(() => collect(upstream.chat(request(model), new AbortController().signal))))
    for (const chunks of answers) assert.equal(chunks.filter((chunk) => chunk.kind === 'finish').length, 1)
  })
}

export async function collect(chunks: AsyncIterable<ChatChunk>): Promise<ChatChunk[]> {
  const all: ChatChunk[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

export function textOf(chunks: readonly ChatChunk[]): string {
  return chunks.map((chunk) => (chunk.kind === 'text' || chunk.kind === 'thinking' ? chunk.text : '')).join('')
}

export function isFault(kind: Fault['kind'], code: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Fault, `not a Fault: ${String(error)}`)
    assert.deepEqual([error.kind, error.code], [kind, code])
    return true
  }
}
