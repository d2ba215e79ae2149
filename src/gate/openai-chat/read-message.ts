import { Fault } from '../../kernel/fault.ts'
import type { ChatMessage, ContentPart, ToolCall } from '../../models/index.ts'
import { fields, wrong, type Fields } from '../check.ts'

const roles = ['system', 'developer', 'user', 'assistant', 'tool'] as const

/** One message of a request. */
export function readMessage(value: unknown, path: string): ChatMessage {
  const message = fields(value, path)
  const role = message.oneOf('role', roles)
  if (!role) throw wrong(`${path}.role`, `one of ${roles.join(', ')}`)
  const toolCalls = role === 'assistant' ? readToolCalls(message) : undefined
  const thinking = role === 'assistant' ? (message.text('reasoning_content') ?? message.text('reasoning')) : undefined
  const toolCallId = message.text('tool_call_id')
  if (role === 'tool' && !toolCallId) throw wrong(`${path}.tool_call_id`, 'the id of the tool call that this answers')
  return {
    role: role === 'developer' ? 'system' : role,
    content: readContent(message, role === 'assistant'),
    ...(toolCalls ? { toolCalls } : {}),
    ...(thinking ? { thinking } : {}),
    ...(role === 'tool' && toolCallId ? { toolCallId } : {}),
  }
}

function readContent(message: Fields, mayBeEmpty: boolean): ChatMessage['content'] {
  const content = message.get('content')
  const path = `${message.path}.content`
  // what a model refused with is what it said
  if (content === undefined && mayBeEmpty) return message.text('refusal') ?? ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw wrong(path, 'text or a list of parts')
  return content.map((part, index) => readPart(part, `${path}[${index}]`))
}

function readPart(value: unknown, path: string): ContentPart {
  const part = fields(value, path)
  const type = part.text('type')
  if (type === 'text' || type === 'refusal') {
    const text = part.text(type)
    if (text === undefined) throw wrong(`${path}.${type}`, 'text')
    return { type: 'text', text }
  }
  if (type !== 'image_url') throw new Fault('invalid', 'request.unsupported', `${path}: parts are text or image_url; ${type ?? 'a part without type'} is not served`, { param: path })
  const url = part.object('image_url')?.text('url')
  const inline = url === undefined ? null : /^data:(image\/[\w.+-]+);base64,([A-Za-z0-9+/=\s]+)$/.exec(url)
  if (!inline) throw wrong(`${path}.image_url.url`, 'a data: URL with base64; a model server is not made to fetch an address')
  return { type: 'image', mediaType: inline[1]!, data: inline[2]!.replace(/\s/g, '') }
}

function readToolCalls(message: Fields): ToolCall[] | undefined {
  const calls = message.list('tool_calls')
  if (!calls || calls.length === 0) return undefined
  return calls.map((value, index) => {
    const call = fields(value, `${message.path}.tool_calls[${index}]`)
    const called = call.object('function')
    const id = call.text('id')
    const name = called?.text('name')
    if (!called || !id || !name) throw wrong(call.path, '{"id":…,"type":"function","function":{"name":…,"arguments":…}}')
    return { id, name, arguments: called.text('arguments') ?? '{}' }
  })
}
