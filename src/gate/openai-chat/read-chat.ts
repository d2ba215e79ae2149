import { Fault } from '../../kernel/fault.ts'
import type { Conversation, FunctionTool, ResponseFormat } from '../../models/index.ts'
import type { AskedCall } from '../answer-call.ts'
import { fields, present, readModel, wrong, type Fields } from '../check.ts'
import { readMessage } from './read-message.ts'

/** A request of OpenAI's chat completions, as far as Castellan serves it. */
export interface ChatCall extends AskedCall {
  readonly includeUsage: boolean
}

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const

/**
 * Reads the body of POST /v1/chat/completions. What would change the answer and is not served is refused; what only asks a provider to
 * store, tag or bill differently (`store`, `metadata`, `user`, `service_tier`, …) is left out.
 */
export function readChat(body: unknown): ChatCall {
  const chat = fields(body, '')
  const model = readModel(chat)
  const messages = chat.list('messages')
  if (!messages || messages.length === 0) throw wrong('messages', 'a list of at least one message')
  refuseUnserved(chat)
  const stream = chat.flag('stream') ?? false
  return {
    model,
    stream,
    native: { wire: 'openai-chat', body: body as Record<string, unknown>, headers: {}, stream },
    includeUsage: chat.object('stream_options')?.flag('include_usage') ?? false,
    conversation: present({
      messages: messages.map((message, index) => readMessage(message, `messages[${index}]`)),
      tools: readTools(chat),
      toolChoice: readToolChoice(chat),
      parallelToolCalls: chat.flag('parallel_tool_calls'),
      temperature: chat.number('temperature', 0, 2),
      topP: chat.number('top_p', 0, 1),
      maxTokens: chat.whole('max_completion_tokens', 1) ?? chat.whole('max_tokens', 1),
      maxTokensIsNewName: chat.get('max_completion_tokens') === undefined ? undefined : true,
      stop: readStop(chat),
      seed: chat.whole('seed', Number.MIN_SAFE_INTEGER),
      presencePenalty: chat.number('presence_penalty', -2, 2),
      frequencyPenalty: chat.number('frequency_penalty', -2, 2),
      format: readFormat(chat),
      reasoning: readEffort(chat),
    }),
  }
}

function refuseUnserved(chat: Fields): void {
  const unserved = (name: string, instead: string) => new Fault('invalid', 'request.unsupported', `${name} is not served here: ${instead}`, { param: name })
  if ((chat.whole('n', 1) ?? 1) > 1) throw unserved('n', 'ask once for each answer')
  if (chat.flag('logprobs')) throw unserved('logprobs', 'leave it out')
  if (chat.list('modalities')?.some((modality) => modality !== 'text') || chat.get('audio') !== undefined) throw unserved('audio', 'ask for text')
  if (chat.get('functions') !== undefined || chat.get('function_call') !== undefined) throw unserved('functions', 'use tools')
  if (chat.get('web_search_options') !== undefined) throw unserved('web_search_options', 'a provider must not search by itself; use a tool')
}

function readTools(chat: Fields): FunctionTool[] | undefined {
  const tools = chat.list('tools')
  if (!tools || tools.length === 0) return undefined
  return tools.map((value, index) => {
    const tool = fields(value, `tools[${index}]`)
    if (tool.text('type') !== 'function') throw wrong(`${tool.path}.type`, '"function"; tools that a provider runs by itself are not served')
    const described = tool.object('function')
    const name = described?.text('name')
    if (!described || !name) throw wrong(`${tool.path}.function.name`, 'the name of the function')
    described.object('parameters')
    return present({
      name,
      description: described.text('description'),
      parameters: described.get('parameters') as Record<string, unknown> | undefined,
      strict: described.flag('strict'),
    })
  })
}

function readToolChoice(chat: Fields): Conversation['toolChoice'] {
  if (typeof chat.get('tool_choice') === 'string') return chat.oneOf('tool_choice', ['auto', 'none', 'required'] as const)
  const choice = chat.object('tool_choice')
  if (!choice) return undefined
  const name = choice.object('function')?.text('name')
  if (!name) throw wrong('tool_choice', 'auto, none, required, or {"type":"function","function":{"name":…}}')
  return { name }
}

function readStop(chat: Fields): string[] | undefined {
  const stop = chat.get('stop')
  if (stop === undefined) return undefined
  const words = Array.isArray(stop) ? stop : [stop]
  if (!words.every((word) => typeof word === 'string')) throw wrong('stop', 'text or a list of texts')
  return words.length === 0 ? undefined : words
}

function readFormat(chat: Fields): ResponseFormat | undefined {
  const format = chat.object('response_format')
  const type = format?.oneOf('type', ['text', 'json_object', 'json_schema'])
  if (!format || type === 'text') return undefined
  if (type === 'json_object') return { type: 'json' }
  const described = format.object('json_schema')
  const schema = described?.object('schema')
  if (!described || !schema) throw wrong('response_format.json_schema.schema', 'a JSON schema')
  return present({
    type: 'schema' as const,
    name: described.text('name') ?? 'answer',
    schema: described.get('schema') as Record<string, unknown>,
    strict: described.flag('strict'),
  })
}

function readEffort(chat: Fields): Conversation['reasoning'] {
  const effort = chat.oneOf('reasoning_effort', efforts)
  return effort === 'xhigh' || effort === 'max' ? 'high' : effort
}
