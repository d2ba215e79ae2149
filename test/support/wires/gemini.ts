import assert from 'node:assert/strict'
import { callId, eventsOf, said, type Ask, type Dialect, type Heard, type Loose, type Turn } from './dialect.ts'

export const gemini: Dialect = {
  wire: 'gemini',
  kind: 'gemini',
  base: '/v1beta',
  model: 'gemini-3-it',

  write: (ask, model, stream) => ({
    path: `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: said({
      systemInstruction: ask.system === undefined ? undefined : { parts: [{ text: ask.system }] },
      contents: contentsOf(ask.turns),
      tools: ask.tools && [{ functionDeclarations: ask.tools.map(({ name, parameters }) => ({ name, parametersJsonSchema: parameters })) }],
      toolConfig: choiceOf(ask),
      generationConfig: said({
        responseMimeType: ask.schema || ask.json ? 'application/json' : undefined,
        responseJsonSchema: ask.schema,
        thinkingConfig: said({ includeThoughts: true, thinkingLevel: ask.effort?.toUpperCase() }),
        maxOutputTokens: ask.maxTokens,
        temperature: ask.temperature,
        topP: ask.topP,
        topK: ask.topK,
        stopSequences: ask.stop,
        seed: ask.seed,
        presencePenalty: ask.penalty,
      }),
    }),
  }),

  asked(body) {
    const settings = body.generationConfig ?? {}
    const { mode, allowedFunctionNames: allowed } = body.toolConfig?.functionCallingConfig ?? {}
    return said<Ask>({
      system: body.systemInstruction?.parts.map((part: Loose) => part.text).join(''),
      turns: body.contents.flatMap(turnsOf),
      tools: body.tools?.[0].functionDeclarations.map((tool: Loose) => ({ name: tool.name, parameters: tool.parametersJsonSchema })),
      toolChoice: mode === 'ANY' ? (allowed ? { name: allowed[0] } : 'required') : mode === 'NONE' ? 'none' : undefined,
      schema: settings.responseJsonSchema,
      json: settings.responseMimeType === 'application/json' && settings.responseJsonSchema === undefined ? true : undefined,
      effort: settings.thinkingConfig?.thinkingLevel?.toLowerCase(),
      maxTokens: settings.maxOutputTokens,
      temperature: settings.temperature,
      topP: settings.topP,
      topK: settings.topK,
      stop: settings.stopSequences,
      seed: settings.seed,
      penalty: settings.presencePenalty,
    })
  },

  whole: (body) => heard([body]),

  stream(text) {
    // an error of Google's own stands in a stream outside of any event
    const besides = text.replaceAll('\r\n', '\n').split('\n\n').filter((block) => block.startsWith('{')).map((block) => JSON.parse(block))
    return heard([...eventsOf(text).map(({ data }) => JSON.parse(data)), ...besides])
  },

  error(body) {
    assert.deepEqual([typeof body.error.code, typeof body.error.status], ['number', 'string'])
    return body.error.message
  },
}

function heard(bodies: readonly Loose[]): Heard {
  const error = bodies.find((body) => body.error)?.error.message
  const candidates = bodies.flatMap((body) => body.candidates ?? [])
  const parts = candidates.flatMap((candidate) => candidate.content?.parts ?? [])
  const calls = parts.filter((part) => part.functionCall).map((part) => ({ name: part.functionCall.name, arguments: part.functionCall.args }))
  const spoken = parts.filter((part) => part.text && !part.thought).map((part) => part.text)
  const reason = candidates.findLast((candidate) => candidate.finishReason)?.finishReason
  const usage = bodies.findLast((body) => body.usageMetadata)?.usageMetadata
  return {
    text: spoken.join(''), textPieces: spoken.length, thinking: parts.filter((part) => part.thought).map((part) => part.text).join(''), calls, argumentPieces: calls.length,
    // for calls of tools it has no reason
    stop: reason === 'STOP' ? (calls.length > 0 ? 'tool_calls' : 'stop') : reason === 'MAX_TOKENS' ? 'length' : reason,
    input: usage?.promptTokenCount, output: usage && (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0), error, ended: reason !== undefined && error === undefined,
  }
}

function choiceOf({ toolChoice }: Ask): object | undefined {
  if (toolChoice === undefined) return undefined
  return { functionCallingConfig: typeof toolChoice === 'object' ? { mode: 'ANY', allowedFunctionNames: [toolChoice.name] } : { mode: toolChoice === 'none' ? 'NONE' : 'ANY' } }
}

/** Turns alternate on this wire. */
function contentsOf(turns: readonly Turn[]): object[] {
  const all: { role: string; parts: object[] }[] = []
  for (const turn of turns) {
    const [role, parts] = ['assistant' in turn ? 'model' : 'user', partsOf(turn)]
    const last = all.at(-1)
    if (last?.role === role) last.parts.push(...parts)
    else all.push({ role, parts })
  }
  return all
}

function partsOf(turn: Turn): object[] {
  if ('user' in turn) return [{ text: turn.user }, ...(turn.image ? [{ inlineData: { mimeType: 'image/png', data: turn.image } }] : [])]
  if ('result' in turn) return [{ functionResponse: { id: callId(turn.of), name: turn.of, response: turn.failed ? { error: turn.result } : { output: turn.result } } }]
  return [
    ...(turn.thinking === undefined ? [] : [{ text: turn.thinking, thought: true }]),
    ...(turn.assistant === '' ? [] : [{ text: turn.assistant }]),
    ...(turn.calls ?? []).map((call) => ({ functionCall: { id: callId(call.name), name: call.name, args: call.arguments } })),
  ]
}

function turnsOf({ role, parts }: Loose): Turn[] {
  const of = (name: string) => parts.filter((part: Loose) => part[name] !== undefined)
  const text = of('text').filter((part: Loose) => !part.thought).map((part: Loose) => part.text).join('')
  const calls = of('functionCall').map((part: Loose) => ({ name: part.functionCall.name, arguments: part.functionCall.args }))
  if (role === 'model') return [said({ assistant: text, thinking: of('text').find((part: Loose) => part.thought)?.text, calls: calls.length > 0 ? calls : undefined })]
  const results = of('functionResponse').map(({ functionResponse: { name, response } }: Loose) => said<Turn>({ result: response.output ?? response.error, of: name, failed: response.error === undefined ? undefined : true }))
  return [...results, ...(text === '' ? [] : [said({ user: text, image: of('inlineData')[0]?.inlineData.data })])]
}
