import assert from 'node:assert/strict'
import { callId, eventsOf, said, type Ask, type Call, type Dialect, type Heard, type Loose, type Turn } from './dialect.ts'

export const openaiResponses: Dialect = {
  wire: 'openai-responses',
  kind: 'openai-responses',
  base: '/v1',

  write: (ask, model, stream) => ({
    path: '/v1/responses',
    body: said({
      model,
      instructions: ask.system,
      input: ask.turns.flatMap(itemsOf),
      stream,
      store: false,
      tools: ask.tools?.map((tool) => ({ type: 'function', ...tool })),
      tool_choice: typeof ask.toolChoice === 'object' ? { type: 'function', ...ask.toolChoice } : ask.toolChoice,
      parallel_tool_calls: ask.oneCall && false,
      text: ask.schema ? { format: { type: 'json_schema', name: 'answer', schema: ask.schema } } : ask.json ? { format: { type: 'json_object' } } : undefined,
      reasoning: ask.effort === undefined ? undefined : { effort: ask.effort },
      max_output_tokens: ask.maxTokens,
      temperature: ask.temperature,
      top_p: ask.topP,
    }),
  }),

  asked(body) {
    const names = new Map<string, string>(body.input.filter((item: Loose) => item.call_id && item.name).map((item: Loose) => [item.call_id, item.name]))
    const format = body.text?.format
    assert.equal(body.store, false)
    return said<Ask>({
      system: body.instructions ?? body.input.find((item: Loose) => item.role === 'system')?.content,
      turns: joined(body.input.filter((item: Loose) => item.role !== 'system').map((item: Loose) => turnOf(item, names))),
      tools: body.tools?.map((tool: Loose) => ({ name: tool.name, parameters: tool.parameters })),
      toolChoice: body.tool_choice?.name ? { name: body.tool_choice.name } : body.tool_choice,
      oneCall: body.parallel_tool_calls === false ? true : undefined,
      schema: format?.schema,
      json: format?.type === 'json_object' ? true : undefined,
      effort: body.reasoning?.effort,
      maxTokens: body.max_output_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: body.stop,
      seed: body.seed,
      penalty: body.presence_penalty,
    })
  },

  whole: (body) => heard(body, 1, 1),

  stream(text) {
    const events = eventsOf(text).map(({ event, data }) => ({ event, body: JSON.parse(data) }))
    events.forEach(({ event, body }, index) => assert.deepEqual([body.type, body.sequence_number], [event, index]))
    const ofType = (type: string) => events.filter(({ body }) => body.type === type).map(({ body }) => body)
    const last = events.at(-1)?.body
    const error = ofType('error')[0]?.message
    const ended = last?.type === 'response.completed' || last?.type === 'response.incomplete'
    const deltas = (type: string) => ofType(type).map((body) => body.delta as string)
    const spoken = deltas('response.output_text.delta')
    if (!ended) {
      assert.equal(last?.type, error === undefined ? undefined : 'response.failed')
      return { text: spoken.join(''), textPieces: spoken.length, thinking: deltas('response.reasoning_summary_text.delta').join(''), calls: [], argumentPieces: 0, stop: undefined, input: undefined, output: undefined, error, ended }
    }
    const pieces = deltas('response.function_call_arguments.delta')
    const whole = heard(last.response, spoken.length, pieces.length)
    // what was said bit by bit is what was said in the end, if it was
    if (spoken.length > 0) assert.equal(spoken.join(''), whole.text)
    if (pieces.length > 0) assert.equal(pieces.join(''), last.response.output.map((item: Loose) => item.arguments ?? '').join(''))
    for (const item of last.response.output) assert.ok(ofType('response.output_item.done').some((done) => done.item.id === item.id), `${item.id} was not told`)
    return whole
  },

  error: (body) => {
    assert.deepEqual(['message', 'type', 'param', 'code'].filter((name) => !(name in body.error)), [])
    return body.error.message
  },
}

function heard(response: Loose, textPieces: number, argumentPieces: number): Heard {
  assert.equal(response.object, 'response')
  const items = (type: string) => response.output.filter((item: Loose) => item.type === type)
  const calls = items('function_call').map((item: Loose): Call => ({ name: item.name, arguments: JSON.parse(item.arguments) }))
  return {
    text: items('message').flatMap((item: Loose) => item.content).map((part: Loose) => part.text).join(''), textPieces,
    thinking: items('reasoning').flatMap((item: Loose) => item.summary).map((part: Loose) => part.text).join(''),
    calls, argumentPieces,
    stop: response.status === 'incomplete' ? (response.incomplete_details.reason === 'max_output_tokens' ? 'length' : response.incomplete_details.reason) : calls.length > 0 ? 'tool_calls' : 'stop',
    input: response.usage?.input_tokens, output: response.usage?.output_tokens, ended: true,
  }
}

function itemsOf(turn: Turn): object[] {
  if ('user' in turn) {
    const image = turn.image && { type: 'input_image', image_url: `data:image/png;base64,${turn.image}` }
    return [{ role: 'user', content: image ? [{ type: 'input_text', text: turn.user }, image] : turn.user }]
  }
  if ('result' in turn) return [{ type: 'function_call_output', call_id: callId(turn.of), output: turn.result }]
  return [
    ...(turn.thinking === undefined ? [] : [{ type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: turn.thinking }] }]),
    ...(turn.assistant === '' ? [] : [{ role: 'assistant', content: turn.assistant }]),
    ...(turn.calls ?? []).map((call) => ({ type: 'function_call', call_id: callId(call.name), name: call.name, arguments: JSON.stringify(call.arguments) })),
  ]
}

function turnOf(item: Loose, names: ReadonlyMap<string, string>): Turn {
  if (item.type === 'function_call_output') return { result: item.output, of: names.get(item.call_id) ?? `nobody's ${item.call_id}` }
  if (item.type === 'function_call') return { assistant: '', calls: [{ name: item.name, arguments: JSON.parse(item.arguments) }] }
  if (item.type === 'reasoning') return { assistant: '', thinking: item.summary.map((part: Loose) => part.text).join('') }
  const parts = typeof item.content === 'string' ? [{ text: item.content }] : item.content
  const text = parts.map((part: Loose) => part.text ?? '').join('')
  return item.role === 'user' ? said({ user: text, image: parts.find((part: Loose) => part.image_url)?.image_url.split(',')[1] }) : { assistant: text }
}

/** What a model thought, said and called between two turns of the other side is one turn. */
function joined(turns: readonly Turn[]): Turn[] {
  const all: Turn[] = []
  for (const turn of turns) {
    const last = all.at(-1)
    if (last && 'assistant' in last && 'assistant' in turn) {
      all[all.length - 1] = said({ assistant: last.assistant + turn.assistant, thinking: last.thinking ?? turn.thinking, calls: last.calls || turn.calls ? [...(last.calls ?? []), ...(turn.calls ?? [])] : undefined })
    } else all.push(turn)
  }
  return all
}
