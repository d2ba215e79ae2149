import type { Conversation, FunctionTool } from '../../models/index.ts'
import type { AskedCall } from '../answer-call.ts'
import { fields, present, readModel, wrong, type Fields } from '../check.ts'
import { toJsonSchema } from './json-schema.ts'
import { knownFields, unserved } from './known-fields.ts'
import { readContents, readSystem } from './read-contents.ts'

/** A request of Gemini's generateContent, as far as Castellan serves it. */
export interface GeminiCall extends AskedCall {
  /** What a model thinks is only shown to who wants to see it. */
  readonly includeThoughts: boolean
}

/**
 * Reads the body of generateContent and streamGenerateContent; the model stands in the path. What would change the answer and is not served is
 * refused; what only asks a provider to store, tag or bill, and fields that are not known, are left out.
 */
export function readGemini(body: unknown, name: string, stream: boolean): GeminiCall {
  const model = readModel(fields({ model: name }, ''))
  const native = knownFields(body)
  const asked = fields(native, '')
  const contents = asked.list('contents')
  if (!contents || contents.length === 0) throw wrong('contents', 'a list of at least one content')
  const settings = asked.object('generationConfig') ?? fields({}, 'generationConfig')
  refuseUnserved(settings)
  const tools = readTools(asked)
  return {
    model,
    stream,
    native: { wire: 'gemini', body: native, headers: {}, stream },
    includeThoughts: settings.object('thinkingConfig')?.flag('includeThoughts') ?? false,
    conversation: present({
      messages: [...readSystem(asked.object('systemInstruction')), ...readContents(contents)],
      tools: tools.length === 0 ? undefined : tools,
      toolChoice: readToolChoice(asked),
      temperature: settings.number('temperature', 0, 2),
      topP: settings.number('topP', 0, 1),
      topK: settings.whole('topK', 1),
      maxTokens: settings.whole('maxOutputTokens', 1),
      stop: readStop(settings),
      seed: settings.whole('seed', Number.MIN_SAFE_INTEGER),
      presencePenalty: settings.number('presencePenalty', -2, 2),
      frequencyPenalty: settings.number('frequencyPenalty', -2, 2),
      format: readFormat(settings),
      reasoning: readThinking(settings),
    }),
  }
}

/** Reads the body of countTokens: contents, or a whole request as it would be made. */
export function readCount(body: unknown, model: string): GeminiCall {
  const asked = fields(body, '')
  const whole = asked.get('generateContentRequest') ?? asked.get('generate_content_request')
  if (whole === undefined) return readGemini(body, model, false)
  if (asked.get('contents') !== undefined) throw wrong('contents', 'left out where there is generateContentRequest')
  return readGemini(whole, model, false)
}

function refuseUnserved(settings: Fields): void {
  if ((settings.whole('candidateCount', 1) ?? 1) > 1) throw unserved('generationConfig.candidateCount', 'ask once for each answer')
  if (settings.list('responseModalities')?.some((modality) => modality !== 'TEXT')) throw unserved('generationConfig.responseModalities', 'ask for text')
}

function readTools(asked: Fields): FunctionTool[] {
  return (asked.list('tools') ?? []).flatMap((value, index) => {
    const tool = fields(value, `tools[${index}]`)
    return (tool.list('functionDeclarations') ?? []).map((one, place) => {
      const declared = fields(one, `${tool.path}.functionDeclarations[${place}]`)
      const name = declared.text('name')
      if (!name) throw wrong(`${declared.path}.name`, 'the name of the function')
      const [own, schema] = [declared.object('parameters'), declared.object('parametersJsonSchema')]
      if (own && schema) throw wrong(`${declared.path}.parameters`, 'left out where there is parametersJsonSchema')
      const parameters = schema ? (declared.get('parametersJsonSchema') as Record<string, unknown>) : own ? toJsonSchema(declared.get('parameters')) : undefined
      return present({ name, description: declared.text('description'), parameters })
    })
  })
}

/** Of several names that are allowed, only that one of them must be called can be told to others. */
function readToolChoice(asked: Fields): Conversation['toolChoice'] {
  const choice = asked.object('toolConfig')?.object('functionCallingConfig')
  const mode = choice?.oneOf('mode', ['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED'])
  const allowed = choice?.list('allowedFunctionNames') ?? []
  if (!allowed.every((name) => typeof name === 'string')) throw wrong(`${choice!.path}.allowedFunctionNames`, 'a list of names')
  if (mode === 'ANY') return allowed.length === 1 ? { name: allowed[0]! } : 'required'
  return mode === 'NONE' ? 'none' : mode === 'AUTO' || mode === 'VALIDATED' ? 'auto' : undefined
}

function readStop(settings: Fields): readonly string[] | undefined {
  const stop = settings.list('stopSequences')
  if (!stop || stop.length === 0) return undefined
  if (!stop.every((word) => typeof word === 'string')) throw wrong('generationConfig.stopSequences', 'a list of texts')
  return stop
}

function readFormat(settings: Fields): Conversation['format'] {
  const type = settings.text('responseMimeType')
  const [own, schema] = [settings.object('responseSchema'), settings.object('responseJsonSchema')]
  if (own && schema) throw wrong('generationConfig.responseSchema', 'left out where there is responseJsonSchema')
  if (type === undefined || type === 'text/plain') {
    if (own || schema) throw wrong('generationConfig.responseMimeType', 'application/json where there is a schema')
    return undefined
  }
  if (type !== 'application/json') throw unserved('generationConfig.responseMimeType', 'answers are text/plain or application/json')
  if (!own && !schema) return { type: 'json' }
  return { type: 'schema', name: 'answer', schema: schema ? (settings.get('responseJsonSchema') as Record<string, unknown>) : toJsonSchema(settings.get('responseSchema')) }
}

/** Tokens to think with, or a level, as the effort that other wires know. A budget of -1 leaves it to the model. */
function readThinking(settings: Fields): Conversation['reasoning'] {
  const thinking = settings.object('thinkingConfig')
  const level = thinking?.text('thinkingLevel')?.toLowerCase()
  if (level === 'minimal' || level === 'low' || level === 'medium') return level
  if (level === 'high' || level === 'xhigh') return 'high'
  const budget = thinking?.whole('thinkingBudget', -1) ?? -1
  if (budget <= 0) return budget === 0 ? 'none' : undefined
  return budget < 4_096 ? 'low' : budget < 16_384 ? 'medium' : 'high'
}
