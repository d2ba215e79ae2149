import { createHash } from 'node:crypto'
import { Fault } from '../kernel/fault.ts'
import type { ChatRequest } from './chat.ts'
import { toOpenai } from './openai-wire.ts'

/** Makes of a request the body that a provider takes which speaks nearly OpenAI's chat completions. */
export type Dialect = (request: ChatRequest) => Record<string, unknown>

type Message = Record<string, unknown> & { readonly tool_calls?: readonly { readonly id: string }[]; readonly tool_call_id?: string }

/**
 * Mistral refuses fields that it does not know (422 `extra_forbidden`), has another name for the seed, tells the usage unasked, and wants ids of tool calls
 * that are nine letters and digits (mistralai/platform-docs-public#7, anomalyco/opencode#1680).
 */
export const toMistral: Dialect = (request) => {
  const { stream_options: _, seed, max_completion_tokens: longest, reasoning_effort: _effort, messages, ...body } = toOpenai(request)
  return {
    ...body,
    ...(seed !== undefined && { random_seed: Math.abs(Number(seed)) }),
    ...(longest !== undefined && { max_tokens: longest }),
    messages: (messages as Message[]).map((message) => ({
      ...message,
      ...(message.tool_calls && { tool_calls: message.tool_calls.map((call) => ({ ...call, id: shortId(call.id) })) }),
      ...(message.tool_call_id !== undefined && { tool_call_id: shortId(message.tool_call_id) }),
    })),
  }
}

/** An id of another provider's, the same each time, so that a call and its result still find each other. */
function shortId(id: string): string {
  return /^[0-9A-Za-z]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9)
}

/**
 * Kimi's temperature ends at 1, its newer models take none at all and want to read again what they thought before a tool call; they can be told not to
 * think, and not how much (platform.kimi.ai: models overview, migrating from OpenAI).
 */
export const toMoonshot: Dialect = (request) => {
  if (request.toolChoice === 'required' || typeof request.toolChoice === 'object') {
    throw new Fault('invalid', 'request.unsupported', `${request.model} cannot be made to call a tool; leave tool_choice to it (auto), or ask another model`, { param: 'tool_choice' })
  }
  const { temperature, top_p, presence_penalty, frequency_penalty, reasoning_effort: _, messages, ...body } = toOpenai(request)
  const isFixed = /kimi-k2\.[5-9]|kimi-k[3-9]/.test(request.model)
  const sampling = isFixed ? {} : { temperature: temperature === undefined ? undefined : Math.min(1, Number(temperature)), top_p, presence_penalty, frequency_penalty }
  return {
    ...body,
    ...Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== undefined)),
    ...(isFixed && request.reasoning !== undefined && { thinking: { type: request.reasoning === 'none' ? 'disabled' : 'enabled' } }),
    messages: (messages as Message[]).map((message, place) => {
      const thought = request.messages[place]!.thinking
      return thought === undefined || thought === '' ? message : { ...message, reasoning_content: thought }
    }),
  }
}
