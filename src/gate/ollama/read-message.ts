import type { ChatMessage, ContentPart, ToolCall } from '../../models/index.ts'
import { fields, wrong, type Fields } from '../check.ts'
import { readImages } from './read-images.ts'

const roles = ['system', 'user', 'assistant', 'tool'] as const

/** The messages of a request. Ollama names the tool of a result where other wires give the id of the call, so calls get ids here and results find theirs. */
export function readMessages(list: readonly unknown[]): ChatMessage[] {
  const open: ToolCall[] = []
  return list.map((value, index) => {
    const message = fields(value, `messages[${index}]`)
    const role = message.oneOf('role', roles)
    if (!role) throw wrong(`${message.path}.role`, `one of ${roles.join(', ')}`)
    const content = readContent(message)
    if (role === 'tool') return { role, content, toolCallId: takeAnswered(open, message).id }
    const toolCalls = role === 'assistant' ? readToolCalls(message, index) : []
    open.push(...toolCalls)
    const thinking = role === 'assistant' ? message.text('thinking') : undefined
    return { role, content, ...(thinking ? { thinking } : {}), ...(toolCalls.length > 0 ? { toolCalls } : {}) }
  })
}

function readContent(message: Fields): ChatMessage['content'] {
  const text = message.text('content') ?? ''
  const images = readImages(message)
  if (images.length === 0) return text
  return [...(text === '' ? [] : [{ type: 'text', text } satisfies ContentPart]), ...images]
}

function readToolCalls(message: Fields, place: number): ToolCall[] {
  return (message.list('tool_calls') ?? []).map((value, index) => {
    const call = fields(value, `${message.path}.tool_calls[${index}]`)
    const called = call.object('function')
    const name = called?.text('name')
    if (!called || !name) throw wrong(call.path, '{"function":{"name":…,"arguments":{…}}}')
    called.object('arguments')
    // the same for the same conversation, so that a provider finds it in its cache again
    return { id: call.text('id') || `call_${place}_${index}`, name, arguments: JSON.stringify(called.get('arguments') ?? {}) }
  })
}

/** The call that a result answers: by its id where the client has one, else the first of that name without a result, else the first without one. */
function takeAnswered(open: ToolCall[], message: Fields): ToolCall {
  const id = message.text('tool_call_id')
  const name = message.text('tool_name') ?? message.text('name')
  const place = open.findIndex((call) => (id ? call.id === id : name ? call.name === name : true))
  const [answered] = place === -1 ? [] : open.splice(place, 1)
  if (!answered) throw wrong(message.path, 'the result of a tool that an earlier message called; send that message, with its tool_calls, too')
  return answered
}
