import { Fault } from '../../kernel/fault.ts'
import { wrong } from '../check.ts'

/** What is kept of a value: all of it; nothing of it; each of a list; these fields of an object. Or why it is refused. */
type Shape = 'kept' | 'left out' | { readonly refused: string } | { readonly each: Shape } | Fields

interface Fields {
  readonly fields: Readonly<Record<string, Shape>>
  /** Where a field that nobody here knows might be one that a provider acts upon: refused, and with these words. */
  readonly others?: string
}

const blob: Shape = { fields: { mimeType: 'kept', data: 'kept' } }

const part: Shape = {
  fields: {
    text: 'kept', thought: 'kept', thoughtSignature: 'kept', inlineData: blob,
    functionCall: { fields: { id: 'kept', name: 'kept', args: 'kept' } },
    functionResponse: { fields: { id: 'kept', name: 'kept', response: 'kept', parts: { each: { fields: { inlineData: blob }, others: 'a result holds inlineData' } } } },
    partMetadata: 'left out', mediaResolution: 'left out',
  },
  others: 'parts are text, inlineData, functionCall and functionResponse; a provider is not made to fetch a file or to run code',
}

const content: Shape = { fields: { role: 'kept', parts: { each: part } } }

const generationConfig: Shape = {
  fields: {
    temperature: 'kept', topP: 'kept', topK: 'kept', maxOutputTokens: 'kept', stopSequences: 'kept', seed: 'kept', presencePenalty: 'kept', frequencyPenalty: 'kept',
    candidateCount: 'kept', responseMimeType: 'kept', responseSchema: 'kept', responseJsonSchema: 'kept', responseModalities: 'kept',
    thinkingConfig: { fields: { includeThoughts: 'kept', thinkingBudget: 'kept', thinkingLevel: 'kept' } },
    responseLogprobs: { refused: 'leave it out' }, logprobs: { refused: 'leave it out' }, speechConfig: { refused: 'ask for text' }, imageConfig: { refused: 'ask for text' },
    responseFormat: { refused: 'use responseMimeType and responseJsonSchema' },
  },
}

const generateContent: Shape = {
  fields: {
    contents: { each: content },
    systemInstruction: content,
    tools: {
      each: {
        // what a function returns is not described to the model: it reads it
        fields: { functionDeclarations: { each: { fields: { name: 'kept', description: 'kept', parameters: 'kept', parametersJsonSchema: 'kept' } } } },
        others: 'tools that a provider runs by itself are not; declare it as a function of your own',
      },
    },
    toolConfig: { fields: { functionCallingConfig: { fields: { mode: 'kept', allowedFunctionNames: 'kept' } } } },
    generationConfig,
    safetySettings: { each: { fields: { category: 'kept', threshold: 'kept' } } },
    cachedContent: { refused: 'what is stored at a provider can be seen by nobody here; send the contents themselves' },
  },
}

/**
 * A body of Gemini's as far as it is understood, with each field by one name: Google reads `systemInstruction` and `system_instruction` alike, and
 * what is looked at here must be what is read there. Only this is sent on.
 */
export function knownFields(body: unknown): Readonly<Record<string, unknown>> {
  return keep(body, generateContent, '') as Record<string, unknown>
}

function keep(value: unknown, shape: Shape, path: string): unknown {
  if (shape === 'kept') return value
  if (typeof shape === 'object' && 'refused' in shape) throw unserved(path, shape.refused)
  if (typeof shape === 'object' && 'each' in shape) {
    if (!Array.isArray(value)) throw wrong(path, 'a list')
    return value.map((item, index) => keep(item, shape.each, `${path}[${index}]`))
  }
  return keepFields(value, shape as Fields, path)
}

function keepFields(value: unknown, { fields, others }: Fields, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path || 'the body', 'a JSON object')
  const kept: Record<string, unknown> = {}
  for (const [given, field] of Object.entries(value)) {
    const name = given.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const at = path === '' ? name : `${path}.${name}`
    const shape = Object.hasOwn(fields, name) ? fields[name]! : 'left out'
    if (Object.hasOwn(kept, name)) throw wrong(at, `given once, not as ${name} and as ${given} too`)
    if (shape === 'left out' && others !== undefined && !Object.hasOwn(fields, name)) throw unserved(at, others)
    // as for all of their clients, null is as good as left out
    if (shape !== 'left out' && field !== null) kept[name] = keep(field, shape, at)
  }
  return kept
}

/** The fault of what would change the answer and is not served. */
export function unserved(path: string, instead: string): Fault {
  return new Fault('invalid', 'request.unsupported', `${path} is not served here: ${instead}`, { param: path })
}
