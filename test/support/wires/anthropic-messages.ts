import assert from 'node:assert/strict'
import { callId, eventsOf, said, type Ask, type Dialect, type Heard, type Loose, type Turn } from './dialect.ts'

const reasons: Readonly<Record<string, string>> = { end_turn: 'stop', max_tokens: 'length', tool_use: 'tool_calls' }
/** Tokens to think with, as efforts. */
const budgets: Readonly<Record<number, string>> = { 1_024: 'minimal', 2_048: 'low', 8_192: 'medium', 16_384: 'high' }

export const anthropicMessages: Dialect = {
  wire: 'anthropic-messages',
  kind: 'anthropic',
  base: '/v1',

  write: (ask, model, stream) => ({
    path: '/v1/messages',
    body: said({
      model,
      max_tokens: ask.maxTokens ?? 9_000,
      system: ask.system,
      messages: turnsJoined(ask.turns.map(messageOf)),
      stream,
      tools: ask.tools?.map(({ name, parameters }) => ({ name, input_schema: parameters })),
      tool_choice: choiceOf(ask),
      output_config: ask.schema || ask.effort ? said({ format: ask.schema && { type: 'json_schema', schema: ask.schema }, effort: ask.effort }) : undefined,
      temperature: ask.temperature,
      top_p: ask.topP,
      top_k: ask.topK,
      stop_sequences: ask.stop,
    }),
  }),

  asked(body) {
    const blocks = body.messages.flatMap((message: Loose) => (typeof message.content === 'string' ? [] : message.content))
    const names = new Map<string, string>(blocks.filter((block: Loose) => block.type === 'tool_use').map((block: Loose) => [block.id, block.name]))
    const { type: choice, name, disable_parallel_tool_use: alone } = body.tool_choice ?? {}
    return said<Ask>({
      system: body.system,
      turns: body.messages.flatMap((message: Loose) => turnsOf(message, names)),
      tools: body.tools?.map((tool: Loose) => ({ name: tool.name, parameters: tool.input_schema })),
      toolChoice: choice === 'any' ? 'required' : choice === 'tool' ? { name } : choice === 'auto' ? undefined : choice,
      oneCall: alone === true ? true : undefined,
      schema: body.output_config?.format?.schema,
      effort: body.output_config?.effort ?? (body.thinking && budgets[body.thinking.budget_tokens]),
      maxTokens: body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: body.stop_sequences,
      seed: body.seed,
      penalty: body.presence_penalty,
    })
  },

  whole(body) {
    assert.deepEqual([body.type, body.role], ['message', 'assistant'])
    return heard(body.content, body.stop_reason, body.usage, 1, 1)
  },

  stream(text) {
    const events = eventsOf(text).map(({ event, data }) => ({ event, body: JSON.parse(data) }))
    for (const { event, body } of events) assert.equal(body.type, event)
    assert.equal(events[0]?.event, 'message_start')
    const blocks: Loose[] = []
    let [textPieces, argumentPieces] = [0, 0]
    const open = new Set<number>()
    for (const { body } of events) {
      if (body.type === 'content_block_start') {
        assert.deepEqual([body.index, open.size], [blocks.length, 0], 'blocks come one after the other')
        open.add(body.index)
        blocks.push({ ...body.content_block, json: '' })
      } else if (body.type === 'content_block_delta') {
        assert.ok(open.has(body.index))
        const { delta } = body
        if (delta.type === 'text_delta') blocks[body.index].text += delta.text
        if (delta.type === 'thinking_delta') blocks[body.index].thinking += delta.thinking
        if (delta.type === 'input_json_delta') blocks[body.index].json += delta.partial_json
        textPieces += delta.type === 'text_delta' ? 1 : 0
        argumentPieces += delta.partial_json ? 1 : 0
      } else if (body.type === 'content_block_stop') assert.ok(open.delete(body.index))
    }
    const [error, delta] = ['error', 'message_delta'].map((type) => events.find(({ body }) => body.type === type)?.body)
    const ended = events.at(-1)?.event === 'message_stop'
    if (ended) assert.equal(open.size, 0)
    const content = blocks.map((block) => (block.type === 'tool_use' ? { ...block, input: ended ? JSON.parse(block.json || '{}') : block.json } : block))
    const usage = { ...events[0].body.message.usage, ...delta?.usage }
    return { ...heard(content, delta?.delta.stop_reason, usage, textPieces, argumentPieces), error: error?.error.message, ended }
  },

  error(body) {
    assert.equal(body.type, 'error')
    assert.match(body.error.type, /_error$/)
    return body.error.message
  },
}

function heard(content: readonly Loose[], stop: string, usage: Loose, textPieces: number, argumentPieces: number): Heard {
  const of = (type: string) => content.filter((block) => block.type === type)
  return {
    text: of('text').map((block) => block.text).join(''), textPieces, thinking: of('thinking').map((block) => block.thinking).join(''),
    calls: of('tool_use').map((block) => ({ name: block.name, arguments: block.input })), argumentPieces,
    stop: reasons[stop] ?? stop, input: usage && usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens, output: usage?.output_tokens, ended: true,
  }
}

function choiceOf({ toolChoice, oneCall }: Ask): object | undefined {
  if (toolChoice === undefined && !oneCall) return undefined
  const alone = oneCall && { disable_parallel_tool_use: true }
  if (typeof toolChoice === 'object') return { type: 'tool', ...toolChoice, ...alone }
  return { type: toolChoice === 'required' ? 'any' : (toolChoice ?? 'auto'), ...alone }
}

function messageOf(turn: Turn): { role: string; content: object[] } {
  if ('user' in turn) {
    const image = turn.image && { type: 'image', source: { type: 'base64', media_type: 'image/png', data: turn.image } }
    return { role: 'user', content: [{ type: 'text', text: turn.user }, ...(image ? [image] : [])] }
  }
  if ('result' in turn) return { role: 'user', content: [said({ type: 'tool_result', tool_use_id: callId(turn.of), content: turn.result, is_error: turn.failed })] }
  return {
    role: 'assistant',
    content: [
      ...(turn.thinking === undefined ? [] : [{ type: 'thinking', thinking: turn.thinking, signature: 'sig' }]),
      ...(turn.assistant === '' ? [] : [{ type: 'text', text: turn.assistant }]),
      ...(turn.calls ?? []).map((call) => ({ type: 'tool_use', id: callId(call.name), name: call.name, input: call.arguments })),
    ],
  }
}

/** Turns alternate on this wire. */
function turnsJoined(messages: readonly { role: string; content: object[] }[]): object[] {
  const all: { role: string; content: object[] }[] = []
  for (const message of messages) {
    const last = all.at(-1)
    if (last?.role === message.role) last.content.push(...message.content)
    else all.push(message)
  }
  return all
}

function turnsOf({ role, content }: Loose, names: ReadonlyMap<string, string>): Turn[] {
  const blocks: Loose[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  const of = (type: string) => blocks.filter((block) => block.type === type)
  const text = of('text').map((block) => block.text).join('')
  const calls = of('tool_use').map((block) => ({ name: block.name, arguments: block.input }))
  if (role === 'assistant') return [said({ assistant: text, thinking: of('thinking')[0]?.thinking, calls: calls.length > 0 ? calls : undefined })]
  const results = of('tool_result').map((block) => {
    const result = typeof block.content === 'string' ? block.content : (block.content ?? []).map((part: Loose) => part.text).join('')
    return said<Turn>({ result, of: names.get(block.tool_use_id) ?? `nobody's ${block.tool_use_id}`, failed: block.is_error })
  })
  return [...results, ...(text === '' ? [] : [said({ user: text, image: of('image')[0]?.source.data })])]
}
