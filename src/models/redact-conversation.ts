import { Fault } from '../kernel/fault.ts'
import { defaultPolicy, leftIn, type RedactionPolicy, type Scanner, type TextRedactor } from '../labels/index.ts'
import type { ChatChunk, ChatMessage, ContentPart, Conversation } from './chat.ts'
import { policyFault, refusedBy } from './enforce-policy.ts'

export interface RequestRedaction {
  readonly name: string
  redact(conversation: Conversation): Conversation
  kinds(): Readonly<Record<string, number>>
  restore(chunks: AsyncIterable<ChatChunk>): AsyncGenerator<ChatChunk, void, void>
}

/** Redacts a conversation in every position, and puts the values back into its answer, its tool calls among it. What the policy does not let go is refused. */
export function redactConversation(redactor: TextRedactor, policy: RedactionPolicy = defaultPolicy): RequestRedaction {
  return {
    name: redactor.name,
    kinds: () => redactor.kinds(),
    redact(conversation) {
      const redacted = keepingSecrets(policy, () => redactAll(redactor, conversation))
      const refused = refusedBy(policy, textsOf(redacted))
      if (refused) throw policyFault(refused)
      return redacted
    },
    restore: (chunks) => restoreChunks(redactor, chunks),
  }
}

/** The kinds of what a redactor should have taken out of a conversation and has not, and what it should not have let go. */
export function leftInConversation(conversation: Conversation, scanner?: Scanner, policy: RedactionPolicy = defaultPolicy): string[] {
  const texts = textsOf(conversation)
  const refused = refusedBy(policy, texts)
  return [...new Set([...texts.flatMap((text) => leftIn(text, scanner)), ...(refused ? [refused.what] : [])])]
}

function redactAll(redactor: TextRedactor, conversation: Conversation): Conversation {
  return {
    ...conversation,
    messages: conversation.messages.map((message) => redactMessage(redactor, message)),
    ...(conversation.tools && { tools: redactor.redactJson(conversation.tools) }),
    ...(conversation.format && { format: redactor.redactJson(conversation.format) }),
    ...(conversation.stop && { stop: conversation.stop.map((word) => redactor.redact(word)) }),
  }
}

/** A secret is refused by the redactor itself; the policy says whether a local model may have the call. */
function keepingSecrets<T>({ secrets }: RedactionPolicy, redact: () => T): T {
  try {
    return redact()
  } catch (error) {
    if (secrets === 'local' && error instanceof Fault && error.code === 'redaction_blocked') throw new Fault(error.kind, 'redaction_local', error.message, error.details, error)
    throw error
  }
}

/** Every text of a conversation, each once, names of fields and numbers among them. */
function textsOf({ messages, tools, format, stop }: Conversation): string[] {
  return textsIn([messages, tools, format, stop])
}

/** Every text of a JSON value, each once (a conversation says `role` and `content` with each message), names of fields and numbers among them. */
export function textsIn(json: unknown): string[] {
  const texts = new Set<string>()
  const collect = (value: unknown): void => {
    if (typeof value === 'string') texts.add(value)
    else if (typeof value === 'number') texts.add(String(value))
    else if (Array.isArray(value)) for (const item of value) collect(item)
    else if (typeof value === 'object' && value !== null) for (const [key, field] of Object.entries(value)) {
      texts.add(key)
      collect(field)
    }
  }
  collect(json)
  return [...texts]
}

function redactMessage(redactor: TextRedactor, message: ChatMessage): ChatMessage {
  // what a model thought before is of no use to another, and its signature covers what it thought unredacted
  const { thinking: _thinking, thinkingSignature: _signature, ...rest } = message
  return {
    ...rest,
    content: typeof message.content === 'string' ? redactor.redact(message.content) : message.content.map((part) => redactPart(redactor, part)),
    ...(message.toolCalls && {
      toolCalls: message.toolCalls.map((call) => ({ ...call, name: redactor.redact(call.name), arguments: redactor.redactJson({ json: call.arguments }).json })),
    }),
  }
}

function redactPart(redactor: TextRedactor, part: ContentPart): ContentPart {
  if (part.type === 'text') return { ...part, text: redactor.redact(part.text) }
  throw new Fault('refused', 'redaction_blocked', 'a picture cannot be redacted, so it is not handed on to a cloud model; leave it out, or ask a model on this machine')
}

/** Text may be cut anywhere, also inside a placeholder; a tool's arguments are JSON, so values are written as JSON writes them. */
async function* restoreChunks(redactor: TextRedactor, chunks: AsyncIterable<ChatChunk>): AsyncGenerator<ChatChunk, void, void> {
  const spoken = { text: redactor.restoring(), thinking: redactor.restoring() }
  const calls = new Map<number, ReturnType<TextRedactor['restoring']>>()
  const rest = function* (): Generator<ChatChunk> {
    for (const kind of ['thinking', 'text'] as const) {
      const text = spoken[kind].end()
      if (text !== '') yield { kind, text }
    }
    for (const [index, call] of calls) {
      const text = call.end()
      if (text !== '') yield { kind: 'tool_call', index, arguments: text }
    }
  }
  for await (const chunk of chunks) {
    switch (chunk.kind) {
      case 'text':
      case 'thinking': {
        const text = spoken[chunk.kind].push(chunk.text)
        if (text !== '') yield { kind: chunk.kind, text }
        break
      }
      case 'tool_call': {
        const call = calls.get(chunk.index) ?? redactor.restoring(insideJson)
        calls.set(chunk.index, call)
        yield { ...chunk, arguments: call.push(chunk.arguments) }
        break
      }
      case 'finish':
        yield* rest()
        yield chunk
        break
      case 'native':
        // the other gate's own words, still redacted; what they say comes as other chunks
        break
      default:
        yield chunk
    }
  }
}

function insideJson(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}
