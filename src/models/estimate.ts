import type { ContentPart, Conversation } from './chat.ts'

const bytesOfImage = 3_072
const bytesOfMessage = 16

/** The bytes of everything that the model will read; images are counted by each model in its own way. */
export function promptBytes(conversation: Pick<Conversation, 'messages' | 'tools'>): number {
  let bytes = conversation.tools ? Buffer.byteLength(JSON.stringify(conversation.tools)) : 0
  for (const message of conversation.messages) {
    const parts: readonly ContentPart[] = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content
    for (const part of parts) bytes += part.type === 'text' ? Buffer.byteLength(part.text) : bytesOfImage
    for (const call of message.toolCalls ?? []) bytes += Buffer.byteLength(call.arguments)
    bytes += Buffer.byteLength(message.thinking ?? '') + bytesOfMessage
  }
  return bytes
}

/** About how many tokens so many bytes of prose are. */
export function tokensOf(bytes: number): number {
  return Math.ceil(bytes / 4)
}
