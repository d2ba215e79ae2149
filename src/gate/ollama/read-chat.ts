import type { ChatMessage, FunctionTool } from '../../models/index.ts'
import type { AskedCall } from '../answer-call.ts'
import { fields, present, readModel, wrong, type Fields } from '../check.ts'
import { readImages } from './read-images.ts'
import { readMessages } from './read-message.ts'
import { readSettings, unserved } from './read-settings.ts'

/** Reads the body of POST /api/chat, which is streamed unless it says otherwise. */
export function readChat(body: unknown): AskedCall {
  const asked = fields(body, '')
  const model = readModel(asked)
  const messages = asked.list('messages')
  if (!messages || messages.length === 0) throw wrong('messages', 'a list of at least one message; a model is loaded when it is first asked something')
  const stream = asked.flag('stream') ?? true
  return {
    model,
    stream,
    native: { wire: 'ollama-chat', body: body as Record<string, unknown>, headers: {}, stream },
    conversation: present({ messages: readMessages(messages), tools: readTools(asked), ...readSettings(asked) }),
  }
}

/** Reads the body of POST /api/generate, as a conversation of one question. */
export function readGenerate(body: unknown): AskedCall {
  const asked = fields(body, '')
  const model = readModel(asked)
  for (const name of ['suffix', 'template'] as const) if (asked.text(name)) throw unserved(name, 'a model is asked in messages; send POST /api/chat, or a prompt and system')
  if (asked.flag('raw')) throw unserved('raw', 'a model is asked in messages; leave it out, and its own template is used')
  if (asked.list('context')?.length) throw unserved('context', 'what was said before is sent as messages; use POST /api/chat')
  for (const name of ['width', 'height', 'steps'] as const) if (asked.get(name) !== undefined) throw unserved(name, 'no images are made here')
  const prompt = asked.text('prompt') ?? ''
  const images = readImages(asked)
  if (prompt === '' && images.length === 0) throw wrong('prompt', 'text; a model is loaded when it is first asked something')
  const system = asked.text('system')
  const messages: ChatMessage[] = [
    ...(system ? [{ role: 'system' as const, content: system }] : []),
    { role: 'user', content: images.length === 0 ? prompt : [...(prompt === '' ? [] : [{ type: 'text' as const, text: prompt }]), ...images] },
  ]
  const stream = asked.flag('stream') ?? true
  return { model, stream, native: { wire: 'ollama-generate', body: body as Record<string, unknown>, headers: {}, stream }, conversation: { messages, ...readSettings(asked) } }
}

function readTools(asked: Fields): FunctionTool[] | undefined {
  const tools = asked.list('tools')
  if (!tools || tools.length === 0) return undefined
  return tools.map((value, index) => {
    const described = fields(value, `tools[${index}]`).object('function')
    const name = described?.text('name')
    if (!described || !name) throw wrong(`tools[${index}].function.name`, 'the name of the function')
    described.object('parameters')
    return present({ name, description: described.text('description'), parameters: described.get('parameters') as Record<string, unknown> | undefined })
  })
}
