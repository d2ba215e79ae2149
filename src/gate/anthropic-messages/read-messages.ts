import { Fault } from '../../kernel/fault.ts'
import type { ChatMessage, ContentPart, Conversation, FunctionTool } from '../../models/index.ts'
import type { AskedCall } from '../answer-call.ts'
import { fields, present, readModel, wrong, type Fields } from '../check.ts'

/** Tools that run at a provider, or steer a machine; the name of a type ends with its date. */
const custom = 'custom'

/**
 * Reads the body of POST /v1/messages. What would change the answer and is not served is refused; what only asks a provider to cache, tag or bill
 * (`cache_control`, `metadata`, `service_tier`, …), and fields that are not known, are left out. `headers`: those that an upstream of this wire is sent too.
 */
export function readMessages(body: unknown, headers: Readonly<Record<string, string>> = {}): AskedCall {
  const asked = fields(body, '')
  const model = readModel(asked)
  const messages = asked.list('messages')
  if (!messages || messages.length === 0) throw wrong('messages', 'a list of at least one message')
  if (asked.list('mcp_servers')?.length) throw unserved('mcp_servers', 'a provider must not ask others by itself; use tools')
  if (asked.get('container') !== undefined) throw unserved('container', 'nothing runs at a provider; use tools')
  const choice = asked.object('tool_choice')
  const stream = asked.flag('stream') ?? false
  return {
    model,
    stream,
    native: { wire: 'anthropic-messages', body: body as Record<string, unknown>, headers, stream },
    conversation: present({
      messages: [...readSystem(asked), ...messages.flatMap((message, index) => readMessage(message, `messages[${index}]`))],
      tools: readTools(asked),
      toolChoice: readToolChoice(choice),
      parallelToolCalls: choice?.flag('disable_parallel_tool_use') ? false : undefined,
      temperature: asked.number('temperature', 0, 1),
      topP: asked.number('top_p', 0, 1),
      topK: asked.whole('top_k', 1),
      maxTokens: asked.whole('max_tokens', 1),
      stop: readStop(asked),
      format: readFormat(asked),
      reasoning: readThinking(asked),
    }),
  }
}

function unserved(path: string, instead: string): Fault {
  return new Fault('invalid', 'request.unsupported', `${path} is not served here: ${instead}`, { param: path })
}

function readSystem(asked: Fields): ChatMessage[] {
  const system = asked.get('system')
  if (system === undefined) return []
  if (typeof system === 'string') return [{ role: 'system', content: system }]
  const blocks = asked.list('system')!
  const texts = blocks.map((value, index) => fields(value, `system[${index}]`).text('text') ?? '')
  return [{ role: 'system', content: texts.join('\n\n') }]
}

/** A message of theirs can be several of ours: results of tools are messages of their own. */
function readMessage(value: unknown, path: string): ChatMessage[] {
  const message = fields(value, path)
  const role = message.oneOf('role', ['user', 'assistant', 'system'])
  if (!role) throw wrong(`${path}.role`, 'user or assistant')
  const content = message.get('content')
  if (typeof content === 'string') return [{ role, content }]
  if (!Array.isArray(content)) throw wrong(`${path}.content`, 'text or a list of blocks')
  const blocks = content.map((block, index) => fields(block, `${path}.content[${index}]`))
  return role === 'assistant' ? [readAssistant(blocks)] : readUser(blocks, role)
}

function readUser(blocks: readonly Fields[], role: 'user' | 'system'): ChatMessage[] {
  const results: ChatMessage[] = []
  const parts: ContentPart[] = []
  for (const block of blocks) {
    if (block.text('type') !== 'tool_result') {
      parts.push(readPart(block))
      continue
    }
    const toolCallId = block.text('tool_use_id')
    if (!toolCallId) throw wrong(`${block.path}.tool_use_id`, 'the id of the tool call that this answers')
    const isError = block.flag('is_error')
    results.push({ role: 'tool', toolCallId, content: readResult(block), ...(isError && { isError }) })
  }
  return [...results, ...(parts.length > 0 ? [{ role, content: parts }] : [])]
}

function readResult(block: Fields): ChatMessage['content'] {
  const content = block.get('content')
  if (content === undefined) return ''
  if (typeof content === 'string') return content
  return (block.list('content') ?? []).map((part, index) => readPart(fields(part, `${block.path}.content[${index}]`)))
}

function readAssistant(blocks: readonly Fields[]): ChatMessage {
  const said = blocks.filter((block) => !['tool_use', 'thinking', 'redacted_thinking'].includes(block.text('type') ?? '')).map(readPart)
  const text = said.map((part) => (part.type === 'text' ? part.text : '')).join('')
  const thought = blocks.filter((block) => block.text('type') === 'thinking')
  const thinking = thought.map((block) => block.text('thinking') ?? '').join('')
  const toolCalls = blocks.filter((block) => block.text('type') === 'tool_use').map((block) => {
    const [id, name] = [block.text('id'), block.text('name')]
    if (!id || !name) throw wrong(block.path, '{"type":"tool_use","id":…,"name":…,"input":{…}}')
    return { id, name, arguments: JSON.stringify(block.get('input') ?? {}) }
  })
  return { role: 'assistant', content: text, ...(thinking !== '' && { thinking }), ...(toolCalls.length > 0 && { toolCalls }) }
}

function readPart(block: Fields): ContentPart {
  const type = block.text('type')
  if (type === 'text') {
    const text = block.text('text')
    if (text === undefined) throw wrong(`${block.path}.text`, 'text')
    return { type, text }
  }
  if (type !== 'image') throw unserved(block.path, `blocks are text, image, tool_use, tool_result and thinking; not ${type ?? 'one without a type'}`)
  const source = block.object('source')
  const [kind, mediaType, data] = [source?.text('type'), source?.text('media_type'), source?.text('data')]
  if (kind !== 'base64' || !mediaType || !data) throw wrong(`${block.path}.source`, '{"type":"base64","media_type":…,"data":…}; a model server is not made to fetch an address')
  return { type, mediaType, data }
}

function readTools(asked: Fields): FunctionTool[] | undefined {
  const tools = asked.list('tools')
  if (!tools || tools.length === 0) return undefined
  return tools.map((value, index) => {
    const tool = fields(value, `tools[${index}]`)
    const type = tool.text('type')
    if (type !== undefined && type !== custom) throw unserved(tool.path, `tools that a provider runs or knows by itself (${type}) are not; describe it as a tool of your own`)
    const name = tool.text('name')
    if (!name) throw wrong(`${tool.path}.name`, 'the name of the tool')
    tool.object('input_schema')
    return present({ name, description: tool.text('description'), parameters: tool.get('input_schema') as Record<string, unknown> | undefined, strict: tool.flag('strict') })
  })
}

function readToolChoice(choice: Fields | undefined): Conversation['toolChoice'] {
  const type = choice?.oneOf('type', ['auto', 'any', 'none', 'tool'])
  if (!choice || type === undefined) return undefined
  if (type !== 'tool') return type === 'any' ? 'required' : type
  const name = choice.text('name')
  if (!name) throw wrong('tool_choice.name', 'the name of a tool')
  return { name }
}

function readStop(asked: Fields): readonly string[] | undefined {
  const stop = asked.list('stop_sequences')
  if (!stop || stop.length === 0) return undefined
  if (!stop.every((word) => typeof word === 'string')) throw wrong('stop_sequences', 'a list of texts')
  return stop
}

/** `output_config.format`, or `output_format` as it was called before. */
function readFormat(asked: Fields): Conversation['format'] {
  const format = asked.object('output_config')?.object('format') ?? asked.object('output_format')
  if (!format) return undefined
  const schema = format.object('schema')
  if (format.text('type') !== 'json_schema' || !schema) throw wrong(format.path, '{"type":"json_schema","schema":{…}}')
  return { type: 'schema', name: 'answer', schema: format.get('schema') as Record<string, unknown> }
}

/** Tokens to think with, as the effort that other wires know. */
function readThinking(asked: Fields): Conversation['reasoning'] {
  const effort = asked.object('output_config')?.text('effort')
  if (effort === 'low' || effort === 'medium') return effort
  if (effort !== undefined) return 'high'
  const thinking = asked.object('thinking')
  if (thinking?.text('type') !== 'enabled') return undefined
  const budget = thinking.whole('budget_tokens', 1) ?? 0
  return budget < 4_096 ? 'low' : budget < 16_384 ? 'medium' : 'high'
}
