import { Fault } from '../../kernel/fault.ts'
import type { Conversation, ResponseFormat } from '../../models/index.ts'
import type { AskedCall } from '../answer-call.ts'
import { fields, present, readModel, wrong, type Fields } from '../check.ts'
import { readInput } from './read-input.ts'
import { offeredName, readTools, type OfferedTools } from './read-tools.ts'

/** A request of OpenAI's responses, as far as Castellan serves it. */
export interface ResponsesCall extends AskedCall {
  /** What an answer repeats of its request. */
  readonly echo: Readonly<Record<string, unknown>>
  readonly tools: OfferedTools['known']
}

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const

/**
 * Reads the body of POST /v1/responses. What would change the answer and is not served is refused; `store` and what else only asks a
 * provider to keep, tag or bill is left out: nothing is stored, here or there.
 */
export function readResponses(body: unknown): ResponsesCall {
  const asked = fields(body, '')
  const model = readModel(asked)
  refuseUnserved(asked)
  asked.flag('store')
  const stream = asked.flag('stream') ?? false
  const instructions = asked.text('instructions')
  const messages = readInput(asked)
  const { functions, known } = readTools(asked)
  const conversation: Conversation = present({
    messages: instructions === undefined ? messages : [{ role: 'system' as const, content: instructions }, ...messages],
    tools: functions.length === 0 ? undefined : functions,
    toolChoice: readToolChoice(asked),
    parallelToolCalls: asked.flag('parallel_tool_calls'),
    temperature: asked.number('temperature', 0, 2),
    topP: asked.number('top_p', 0, 1),
    maxTokens: asked.whole('max_output_tokens', 1),
    maxTokensIsNewName: asked.get('max_output_tokens') === undefined ? undefined : true,
    format: readFormat(asked),
    reasoning: readEffort(asked),
  })
  return {
    model,
    stream,
    native: { wire: 'openai-responses', body: body as Record<string, unknown>, headers: {}, stream },
    conversation,
    tools: known,
    echo: {
      instructions: instructions ?? null,
      max_output_tokens: conversation.maxTokens ?? null,
      metadata: asked.object('metadata') ? asked.get('metadata') : {},
      parallel_tool_calls: conversation.parallelToolCalls ?? true,
      reasoning: { effort: asked.object('reasoning')?.get('effort') ?? null, summary: asked.object('reasoning')?.get('summary') ?? null },
      temperature: conversation.temperature ?? 1,
      text: { format: asked.object('text')?.get('format') ?? { type: 'text' } },
      tool_choice: asked.get('tool_choice') ?? 'auto',
      tools: asked.get('tools') ?? [],
      top_p: conversation.topP ?? 1,
    },
  }
}

function refuseUnserved(asked: Fields): void {
  const unserved = (name: string, instead: string) => new Fault('invalid', 'request.unsupported', `${name} is not served here: ${instead}`, { param: name })
  for (const name of ['previous_response_id', 'conversation']) {
    if (asked.get(name) !== undefined) throw unserved(name, 'no answer is stored, so there is nothing to go on from; send the whole conversation as input')
  }
  if (asked.flag('background')) throw unserved('background', 'no answer is stored; wait for it, or stream it')
  if (asked.get('prompt') !== undefined) throw unserved('prompt', 'templates lie at the provider; send their text as instructions and input')
  if (asked.get('context_management') !== undefined) throw unserved('context_management', 'a conversation is shortened by who holds it; leave it out')
  if (asked.text('truncation') === 'auto') throw unserved('truncation', 'nothing is cut out of a conversation here; leave it out or say disabled')
  if ((asked.whole('top_logprobs', 0) ?? 0) > 0) throw unserved('top_logprobs', 'leave it out')
  if (asked.list('include')?.includes('message.output_text.logprobs')) throw unserved('include', 'message.output_text.logprobs cannot be had; leave it out')
}

function readToolChoice(asked: Fields): Conversation['toolChoice'] {
  if (typeof asked.get('tool_choice') === 'string') return asked.oneOf('tool_choice', ['auto', 'none', 'required'] as const)
  const choice = asked.object('tool_choice')
  if (!choice) return undefined
  const name = ['function', 'custom'].includes(choice.text('type') ?? '') ? choice.text('name') : undefined
  if (!name) throw wrong('tool_choice', 'auto, none, required, or {"type":"function","name":…}')
  return { name: offeredName(name, choice.text('namespace')) }
}

function readFormat(asked: Fields): ResponseFormat | undefined {
  const format = asked.object('text')?.object('format')
  const type = format?.oneOf('type', ['text', 'json_object', 'json_schema'])
  if (!format || type === 'text') return undefined
  if (type === 'json_object') return { type: 'json' }
  if (type === undefined || !format.object('schema')) throw wrong('text.format.schema', 'a JSON schema')
  return present({
    type: 'schema' as const,
    name: format.text('name') ?? 'answer',
    schema: format.get('schema') as Record<string, unknown>,
    strict: format.flag('strict'),
  })
}

function readEffort(asked: Fields): Conversation['reasoning'] {
  const effort = asked.object('reasoning')?.oneOf('effort', efforts)
  return effort === 'xhigh' || effort === 'max' ? 'high' : effort
}
