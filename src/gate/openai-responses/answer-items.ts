import { newId } from '../../kernel/ids.ts'
import type { ChatChunk } from '../../models/index.ts'
import { inputOf } from './free-text-tools.ts'
import type { ClientTool } from './read-tools.ts'

/** What became of an answer's items. */
type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

type Emit = (type: string, body: object) => void

/** One item of an answer while it is being written. */
interface OpenItem {
  readonly kind: 'thinking' | 'text' | 'tool_call'
  readonly index: number
  add(text: string): void
  close(status: ItemStatus): void
  /** As it is now. */
  item(status: ItemStatus): object
}

type Begin = (emit: Emit, index: number) => OpenItem

/** Puts the chunks of an answer into the items of OpenAI's responses, and tells each step to `emit`. */
export interface AnswerItems {
  take(chunk: ChatChunk): void
  /** Ends what is still open. */
  close(status: ItemStatus): void
  /** The items, those that are open marked with `status`. */
  output(status: ItemStatus): object[]
}

export function createAnswerItems(emit: Emit, tools: ReadonlyMap<string, ClientTool>): AnswerItems {
  const all: OpenItem[] = []
  const done = new Map<OpenItem, object>()
  const calls = new Map<number, OpenItem>()
  let speaking: OpenItem | undefined

  const begin = (make: Begin): OpenItem => {
    const made = make(emit, all.length)
    all.push(made)
    return made
  }
  const end = (item: OpenItem, status: ItemStatus) => {
    if (done.has(item)) return
    item.close(status)
    done.set(item, item.item(status))
  }
  const endSpeaking = () => {
    if (speaking) end(speaking, 'completed')
    speaking = undefined
  }

  return {
    take(chunk) {
      if (chunk.kind === 'text' || chunk.kind === 'thinking') {
        if (chunk.text === '') return
        if (speaking?.kind !== chunk.kind) {
          endSpeaking()
          speaking = begin(chunk.kind === 'text' ? beginMessage : beginReasoning)
        }
        speaking.add(chunk.text)
      } else if (chunk.kind === 'tool_call') {
        endSpeaking()
        const known = calls.get(chunk.index)
        // fragments of several calls may alternate, so a call is open until the answer ends
        const id = chunk.id ?? `call_${newId()}`
        const tool = tools.get(chunk.name ?? '') ?? { name: chunk.name ?? '', takesFreeText: false }
        const call = known ?? begin(tool.takesFreeText ? beginFreeText(id, tool) : beginCall(id, tool))
        if (!known) calls.set(chunk.index, call)
        if (chunk.arguments !== '') call.add(chunk.arguments)
      }
    },
    close: (status) => {
      for (const item of all) end(item, status)
    },
    output: (status) => all.map((item) => done.get(item) ?? item.item(status)),
  }
}

const beginMessage: Begin = (emit, index) => {
  const id = `msg_${newId()}`
  let text = ''
  const part = () => ({ type: 'output_text', text, annotations: [], logprobs: [] })
  const item = (status: ItemStatus) => ({ id, type: 'message', status, role: 'assistant', content: [part()] })
  const at = { item_id: id, output_index: index, content_index: 0 }
  emit('response.output_item.added', { output_index: index, item: { ...item('in_progress'), content: [] } })
  emit('response.content_part.added', { ...at, part: part() })
  return {
    kind: 'text',
    index,
    item,
    add(delta) {
      text += delta
      emit('response.output_text.delta', { ...at, delta, logprobs: [] })
    },
    close(status) {
      emit('response.output_text.done', { ...at, text, logprobs: [] })
      emit('response.content_part.done', { ...at, part: part() })
      emit('response.output_item.done', { output_index: index, item: item(status) })
    },
  }
}

const beginReasoning: Begin = (emit, index) => {
  const id = `rs_${newId()}`
  let text = ''
  const part = () => ({ type: 'summary_text', text })
  const item = (status: ItemStatus) => ({ id, type: 'reasoning', status, summary: [part()] })
  const at = { item_id: id, output_index: index, summary_index: 0 }
  emit('response.output_item.added', { output_index: index, item: { ...item('in_progress'), summary: [] } })
  emit('response.reasoning_summary_part.added', { ...at, part: part() })
  return {
    kind: 'thinking',
    index,
    item,
    add(delta) {
      text += delta
      emit('response.reasoning_summary_text.delta', { ...at, delta })
    },
    close(status) {
      emit('response.reasoning_summary_text.done', { ...at, text })
      emit('response.reasoning_summary_part.done', { ...at, part: part() })
      emit('response.output_item.done', { output_index: index, item: item(status) })
    },
  }
}

const beginCall = (callId: string, { name, namespace }: ClientTool): Begin => (emit, index) => {
  const id = `fc_${newId()}`
  let text = ''
  const item = (status: ItemStatus) => ({ id, type: 'function_call', status, call_id: callId, name, ...(namespace !== undefined && { namespace }), arguments: text })
  const at = { item_id: id, output_index: index }
  emit('response.output_item.added', { output_index: index, item: item('in_progress') })
  return {
    kind: 'tool_call',
    index,
    item,
    add(delta) {
      text += delta
      emit('response.function_call_arguments.delta', { ...at, delta })
    },
    close(status) {
      emit('response.function_call_arguments.done', { ...at, name, arguments: text })
      emit('response.output_item.done', { output_index: index, item: item(status) })
    },
  }
}

const beginFreeText = (callId: string, { name, namespace }: ClientTool): Begin => (emit, index) => {
  const id = `ctc_${newId()}`
  let written = ''
  let input = ''
  const item = (status: ItemStatus) => ({ id, type: 'custom_tool_call', status, call_id: callId, name, ...(namespace !== undefined && { namespace }), input })
  const at = { item_id: id, output_index: index }
  emit('response.output_item.added', { output_index: index, item: item('in_progress') })
  return {
    kind: 'tool_call',
    index,
    item,
    // what the input is can be said once its quotes are closed
    add: (delta) => void (written += delta),
    close(status) {
      input = inputOf(written)
      if (input !== '') emit('response.custom_tool_call_input.delta', { ...at, delta: input })
      emit('response.custom_tool_call_input.done', { ...at, input })
      emit('response.output_item.done', { output_index: index, item: item(status) })
    },
  }
}
