import type { ChatMessage, ChatRequest, ContentPart, NativeRequest } from './chat.ts'
import { isThird, thinkingConfig } from './gemini-thinking.ts'
import { passedBody } from './pass.ts'

/** Those of a client's own fields that change the answer and nothing else. The model stands in the path. */
const passedFields: ReadonlySet<string> = new Set(['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig', 'safetySettings'])

export function passedContents(native: NativeRequest): Record<string, unknown> {
  return passedBody(native, passedFields, {})
}

/** The body of countTokens: whatever stands beside the contents counts only in a request as it would be made. */
export function countedContents(native: NativeRequest, model: string): Record<string, unknown> {
  const passed = passedContents(native)
  return Object.keys(passed).length === 1 ? passed : { generateContentRequest: { model: `models/${model}`, ...passed } }
}

/** The body of generateContent. */
export function toContents(request: ChatRequest): Record<string, unknown> {
  const system = request.messages.filter(({ role, content }) => role === 'system' && content.length > 0)
  const given = {
    systemInstruction: system.length === 0 ? undefined : { parts: system.flatMap(({ content }) => partsOf(content)) },
    tools: request.tools?.length ? [{ functionDeclarations: request.tools.map(({ name, description, parameters }) => known({ name, description, parametersJsonSchema: parameters })) }] : undefined,
    toolConfig: choiceOf(request),
    generationConfig: settingsOf(request),
  }
  return { contents: turnsOf(request), ...known(given) }
}

function settingsOf(request: ChatRequest): object | undefined {
  const { format } = request
  const given = known({
    temperature: request.temperature,
    topP: request.topP,
    topK: request.topK,
    maxOutputTokens: request.maxTokens,
    stopSequences: request.stop,
    seed: request.seed,
    presencePenalty: request.presencePenalty,
    frequencyPenalty: request.frequencyPenalty,
    responseMimeType: format === undefined ? undefined : 'application/json',
    responseJsonSchema: format?.type === 'schema' ? format.schema : undefined,
    thinkingConfig: thinkingConfig(request.model, request.reasoning),
  })
  return Object.keys(given).length === 0 ? undefined : given
}

function choiceOf({ toolChoice, tools }: ChatRequest): object | undefined {
  if (toolChoice === undefined || !tools?.length) return undefined
  if (typeof toolChoice === 'object') return { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [toolChoice.name] } }
  return { functionCallingConfig: { mode: toolChoice === 'required' ? 'ANY' : toolChoice.toUpperCase() } }
}

interface Turn {
  readonly role: 'user' | 'model'
  readonly parts: readonly object[]
}

/** Turns alternate: what one side says in several messages is one turn. What was thought before counts only with the provider's own signature, and is left out. */
function turnsOf({ messages, model }: ChatRequest): Turn[] {
  const turns: Turn[] = []
  const names = new Map<string, string>()
  for (const message of messages) {
    if (message.role === 'system') continue
    for (const { id, name } of message.toolCalls ?? []) names.set(id, name)
    const turn = toTurn(message, names, model)
    const last = turns.at(-1)
    if (turn.parts.length === 0) continue
    if (last?.role === turn.role) turns[turns.length - 1] = { role: turn.role, parts: [...last.parts, ...turn.parts] }
    else turns.push(turn)
  }
  return turns
}

/** What Google documents for a call that another model made: it is then not asked for a signature of its own. */
const foreignSignature = 'skip_thought_signature_validator'

function toTurn(message: ChatMessage, names: ReadonlyMap<string, string>, model: string): Turn {
  if (message.role === 'tool') return { role: 'user', parts: resultOf(message, names) }
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: json }, index) => ({
    functionCall: { id, name, args: argumentsOf(json) },
    ...(index === 0 && isThird(model) && { thoughtSignature: foreignSignature }),
  }))
  return { role: message.role === 'assistant' ? 'model' : 'user', parts: [...partsOf(message.content), ...calls] }
}

/** A result is an object there, and names its tool. Pictures stand beside it. */
function resultOf({ content, toolCallId = '', isError }: ChatMessage, names: ReadonlyMap<string, string>): object[] {
  const parts: readonly ContentPart[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  const response = isError ? { error: text } : { output: text }
  return [{ functionResponse: { id: toolCallId, name: names.get(toolCallId) ?? 'tool', response } }, ...partsOf(parts.filter(({ type }) => type === 'image'))]
}

function partsOf(content: ChatMessage['content']): object[] {
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }]
  return content.flatMap((part): object[] => {
    if (part.type === 'image') return [{ inlineData: { mimeType: part.mediaType, data: part.data } }]
    return part.text === '' ? [] : [{ text: part.text }]
  })
}

function argumentsOf(text: string): unknown {
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { arguments: value }
  } catch {
    return { arguments: text }
  }
}

function known(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
