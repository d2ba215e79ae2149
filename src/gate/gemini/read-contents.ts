import type { ChatMessage, ContentPart, ToolCall } from '../../models/index.ts'
import { fields, wrong, type Fields } from '../check.ts'
import { unserved } from './known-fields.ts'

/** The messages that contents are. A content of theirs can be several of ours: results of tools are messages of their own. */
export function readContents(contents: readonly unknown[]): ChatMessage[] {
  const open: ToolCall[] = []
  let named = 0
  return contents.flatMap((value, index) => {
    const content = fields(value, `contents[${index}]`)
    const role = content.oneOf('role', ['user', 'model', 'function']) ?? 'user'
    const parts = partsOf(content)
    if (role !== 'model') return readUser(parts, open)
    // older models give their calls no id, and their results are told by name alone
    const message = readModelTurn(parts, () => `call_${(named += 1)}`)
    open.push(...(message?.toolCalls ?? []))
    return message ? [message] : []
  })
}

/** Of a system instruction the role says nothing. */
export function readSystem(instruction: Fields | undefined): ChatMessage[] {
  if (!instruction) return []
  const texts = partsOf(instruction).map((part) => {
    if (part.get('text') === undefined) throw unserved(part.path, 'a system instruction is text')
    return part.text('text')!
  })
  return texts.length === 0 ? [] : [{ role: 'system', content: texts.join('\n\n') }]
}

function partsOf(content: Fields): Fields[] {
  return (content.list('parts') ?? []).map((part, index) => fields(part, `${content.path}.parts[${index}]`))
}

function readUser(parts: readonly Fields[], open: ToolCall[]): ChatMessage[] {
  const results: ChatMessage[] = []
  const said: ContentPart[] = []
  for (const part of parts) {
    if (part.get('functionCall') !== undefined) throw wrong(`${part.path}.functionCall`, 'in a content of the role model')
    const result = part.object('functionResponse')
    if (result) results.push(readResult(result, open))
    said.push(...readPart(part))
  }
  return [...results, ...(said.length > 0 ? [{ role: 'user' as const, content: said }] : [])]
}

function readModelTurn(parts: readonly Fields[], newId: () => string): ChatMessage | undefined {
  let [text, thinking] = ['', '']
  const toolCalls: ToolCall[] = []
  for (const part of parts) {
    if (part.get('inlineData') !== undefined) throw unserved(`${part.path}.inlineData`, 'pictures are sent by the user, not by the model')
    if (part.get('functionResponse') !== undefined) throw wrong(`${part.path}.functionResponse`, 'in a content of the role user')
    if (part.flag('thought')) thinking += part.text('text') ?? ''
    else text += part.text('text') ?? ''
    const call = part.object('functionCall')
    if (!call) continue
    const name = call.text('name')
    if (!name) throw wrong(`${call.path}.name`, 'the name of the function')
    call.object('args')
    toolCalls.push({ id: call.text('id') || newId(), name, arguments: JSON.stringify(call.get('args') ?? {}) })
  }
  if (text === '' && thinking === '' && toolCalls.length === 0) return undefined
  return { role: 'assistant', content: text, ...(thinking !== '' && { thinking }), ...(toolCalls.length > 0 && { toolCalls }) }
}

function readPart(part: Fields): ContentPart[] {
  const text = part.text('text')
  const blob = part.object('inlineData')
  return [...(text === undefined || text === '' ? [] : [{ type: 'text' as const, text }]), ...(blob ? [readPicture(blob)] : [])]
}

function readPicture(blob: Fields): ContentPart {
  const [mediaType, data] = [blob.text('mimeType'), blob.text('data')]
  if (!mediaType?.startsWith('image/')) throw unserved(`${blob.path}.mimeType`, 'pictures only (image/…); send what else there is as text')
  if (!data) throw wrong(`${blob.path}.data`, 'the picture in base64')
  return { type: 'image', mediaType, data }
}

/** The call that it answers is told by its id, or is the first of that name that nobody has answered. */
function readResult(result: Fields, open: ToolCall[]): ChatMessage {
  const [id, name] = [result.text('id'), result.text('name')]
  if (!name) throw wrong(`${result.path}.name`, 'the name of the function that was called')
  const byId = open.findIndex((call) => call.id === id)
  const place = byId === -1 ? open.findIndex((call) => call.name === name) : byId
  const [answered] = place === -1 ? [] : open.splice(place, 1)
  const response = result.object('response') ? (result.get('response') as Record<string, unknown>) : {}
  const { text, isError } = outputOf(response, name)
  const pictures = (result.list('parts') ?? []).flatMap((part, index) => readPart(fields(part, `${result.path}.parts[${index}]`)))
  const content = pictures.length === 0 ? text : [{ type: 'text' as const, text }, ...pictures]
  return { role: 'tool', toolCallId: answered?.id ?? (id || `call_${name}`), content, ...(isError && { isError }) }
}

/** A result that is a text stands under `output`, or `result`, or as `content` beside the name of its tool; what went wrong under `error`. Any other object is a result as it is. */
function outputOf(response: Record<string, unknown>, tool: string): { readonly text: string; readonly isError: boolean } {
  if (Object.keys(response).length === 2 && response['name'] === tool && typeof response['content'] === 'string') return { text: response['content'], isError: false }
  const [name = '', ...more] = Object.keys(response)
  const value = response[name]
  const isError = name === 'error' && more.length === 0
  if (more.length === 0 && typeof value === 'string' && ['output', 'result', 'error'].includes(name)) return { text: value, isError }
  return { text: name === '' ? '' : JSON.stringify(isError ? value : response), isError }
}
