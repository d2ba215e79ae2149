import type { Clock } from '../../kernel/clock.ts'
import type { Answer } from '../../models/index.ts'
import type { Named, StreamWriter, Wire } from '../wire.ts'
import { toldError, type WireError } from '../wire-error.ts'
import { createEnding, type Ending } from './ending.ts'
import { createCalls } from './whole-calls.ts'

/** For Ollama's clients. The code is not in their shape, and stands beside the message. */
export function ollamaError(error: unknown): WireError {
  const { status, headers, message, code, details } = toldError(error)
  return { status, headers, body: { error: message, code, ...(details && { details }) } }
}

/** What a model said, as one of the two wires puts it into a line. */
interface Said {
  readonly text?: string
  readonly thinking?: string
  readonly toolCalls?: readonly object[]
}

type Put = (said: Said) => object

/** Of /api/chat. */
export const asMessage: Put = ({ text = '', thinking, toolCalls }) => ({
  message: { role: 'assistant', content: text, ...(thinking !== undefined && { thinking }), ...(toolCalls && { tool_calls: toolCalls }) },
})

/** Of /api/generate, which offers no tools. */
export const asResponse: Put = ({ text = '', thinking }) => ({ response: text, ...(thinking !== undefined && { thinking }) })

/** Ollama's answers, streamed as a line for each piece. */
export function ollamaAnswer(put: Put, clock: Clock): Wire {
  const started = clock.now()
  return {
    contentType: 'application/x-ndjson',
    whole: (answer) => wholeAnswer(answer, put, createEnding(clock, started), clock),
    stream: (answer) => lineWriter(answer, put, createEnding(clock, started), clock),
    error: ollamaError,
  }
}

function lineWriter(answer: Named, put: Put, ending: Ending, clock: Clock): StreamWriter {
  const line = (said: Said, rest: object = { done: false }) => `${JSON.stringify({ ...envelope(answer, clock), ...put(said), ...rest })}\n`
  const calls = createCalls()
  const callsDone = () => {
    const toolCalls = calls.take()
    return toolCalls.length === 0 ? '' : line({ toolCalls })
  }
  return {
    begin: () => '',
    chunk(chunk) {
      ending.take(chunk)
      switch (chunk.kind) {
        case 'text':
          return chunk.text === '' ? '' : line({ text: chunk.text })
        case 'thinking':
          return chunk.text === '' ? '' : line({ thinking: chunk.text })
        case 'tool_call':
          calls.add(chunk)
          return ''
        case 'finish':
          return callsDone()
        default:
          return ''
      }
    },
    end: () => callsDone() + line({}, ending.fields()),
    broken: (error) => `${JSON.stringify(ollamaError(error).body)}\n`,
  }
}

async function wholeAnswer(answer: Answer, put: Put, ending: Ending, clock: Clock): Promise<object> {
  const calls = createCalls()
  let [text, thinking] = ['', '']
  for await (const chunk of answer.chunks) {
    ending.take(chunk)
    if (chunk.kind === 'text') text += chunk.text
    else if (chunk.kind === 'thinking') thinking += chunk.text
    else if (chunk.kind === 'tool_call') calls.add(chunk)
  }
  const toolCalls = calls.take()
  return { ...envelope(answer, clock), ...put({ text, ...(thinking !== '' && { thinking }), ...(toolCalls.length > 0 && { toolCalls }) }), ...ending.fields() }
}

function envelope({ upstream, model }: Named, clock: Clock): object {
  return { model: `${upstream}/${model}`, created_at: clock.now().toISOString() }
}
