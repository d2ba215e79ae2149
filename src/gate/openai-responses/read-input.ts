import { Fault } from '../../kernel/fault.ts'
import type { ChatMessage, ContentPart } from '../../models/index.ts'
import { fields, wrong, type Fields } from '../check.ts'
import { argumentsOf } from './free-text-tools.ts'
import { offeredName } from './read-tools.ts'

const roles = ['system', 'developer', 'user', 'assistant'] as const

/** The input of a request as messages: what a model said, thought and called between two turns is one message of it. */
export function readInput(asked: Fields): ChatMessage[] {
  const input = asked.get('input')
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  if (!Array.isArray(input) || input.length === 0) throw wrong('input', 'text or a list of at least one item')
  const messages: ChatMessage[] = []
  input.forEach((value, index) => {
    const read = readItem(fields(value, `input[${index}]`))
    const last = messages.at(-1)
    if (last?.role === 'assistant' && read.role === 'assistant') messages[messages.length - 1] = joined(last, read)
    else messages.push(read)
  })
  // a thought that nothing followed is nothing that was said
  return messages.filter((message) => message.role !== 'assistant' || message.content !== '' || message.toolCalls)
}

function joined(first: ChatMessage, second: ChatMessage): ChatMessage {
  const thinking = [first.thinking, second.thinking].filter(Boolean).join('\n')
  const toolCalls = [...(first.toolCalls ?? []), ...(second.toolCalls ?? [])]
  return {
    role: 'assistant',
    content: first.content === '' ? second.content : second.content === '' ? first.content : [...partsOf(first), ...partsOf(second)],
    ...(thinking === '' ? {} : { thinking }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
  }
}

function partsOf({ content }: ChatMessage): readonly ContentPart[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

function readItem(item: Fields): ChatMessage {
  const type = item.text('type') ?? 'message'
  switch (type) {
    case 'message': {
      const role = item.oneOf('role', roles)
      if (!role) throw wrong(`${item.path}.role`, `one of ${roles.join(', ')}`)
      return { role: role === 'developer' ? 'system' : role, content: readContent(item, 'content') }
    }
    case 'reasoning': {
      // what is encrypted in it only its provider can read, and gets it where a request is handed on as it is
      const thinking = [...textsOf(item, 'summary'), ...textsOf(item, 'content')].join('\n')
      return { role: 'assistant', content: '', ...(thinking === '' ? {} : { thinking }) }
    }
    case 'function_call': {
      const id = item.text('call_id')
      const name = item.text('name')
      if (!id || !name) throw wrong(item.path, '{"type":"function_call","call_id":…,"name":…,"arguments":…}')
      return { role: 'assistant', content: '', toolCalls: [{ id, name: offeredName(name, item.text('namespace')), arguments: item.text('arguments') ?? '{}' }] }
    }
    case 'custom_tool_call': {
      const id = item.text('call_id')
      const name = item.text('name')
      if (!id || !name) throw wrong(item.path, '{"type":"custom_tool_call","call_id":…,"name":…,"input":…}')
      return { role: 'assistant', content: '', toolCalls: [{ id, name: offeredName(name, item.text('namespace')), arguments: argumentsOf(item.text('input') ?? '') }] }
    }
    case 'custom_tool_call_output':
    case 'function_call_output': {
      const toolCallId = item.text('call_id')
      if (!toolCallId) throw wrong(`${item.path}.call_id`, 'the id of the call that this answers')
      return { role: 'tool', content: readContent(item, 'output'), toolCallId }
    }
    default: {
      const instead = type === 'item_reference' ? 'nothing is stored that it could refer to; send the item itself, as clients do that are told to store nothing (store: false)' : 'items are message, reasoning, function_call, custom_tool_call and their outputs'
      throw new Fault('invalid', 'request.unsupported', `${item.path}: ${type} is not served: ${instead}`, { param: item.path })
    }
  }
}

function readContent(item: Fields, name: 'content' | 'output'): ChatMessage['content'] {
  const content = item.get(name)
  const path = `${item.path}.${name}`
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw wrong(path, 'text or a list of parts')
  return content.map((part, index) => readPart(fields(part, `${path}[${index}]`)))
}

function readPart(part: Fields): ContentPart {
  const type = part.text('type')
  if (type === 'input_text' || type === 'output_text' || type === 'text' || type === 'refusal') {
    const field = type === 'refusal' ? type : 'text'
    const text = part.text(field)
    if (text === undefined) throw wrong(`${part.path}.${field}`, 'text')
    return { type: 'text', text }
  }
  if (type !== 'input_image') {
    throw new Fault('invalid', 'request.unsupported', `${part.path}: parts are text or input_image; ${type ?? 'a part without type'} is not served`, { param: part.path })
  }
  const url = part.get('file_id') === undefined ? part.text('image_url') : undefined
  const inline = url === undefined ? null : /^data:(image\/[\w.+-]+);base64,([A-Za-z0-9+/=\s]+)$/.exec(url)
  if (!inline) throw wrong(`${part.path}.image_url`, 'a data: URL with base64; a model server is not made to fetch an address or a file')
  return { type: 'image', mediaType: inline[1]!, data: inline[2]!.replace(/\s/g, '') }
}

function textsOf(item: Fields, name: string): string[] {
  return (item.list(name) ?? []).map((value, index) => fields(value, `${item.path}.${name}[${index}]`).text('text') ?? '').filter((text) => text !== '')
}
