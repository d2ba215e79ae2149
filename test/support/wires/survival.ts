import type { Ask, Dialect, Turn, UpstreamKind, WireName } from './dialect.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { gemini } from './gemini.ts'
import { ollama } from './ollama.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'

/** Another wire is one more entry here, one of `unsaid` and one of `translated`. */
export const dialects = [openaiChat, openaiResponses, anthropicMessages, gemini, ollama] as const

/** What becomes of a feature on its way: `as` is what the upstream sees instead, told in `words`. */
export type Fate = 'kept' | 'left out' | 'refused' | { readonly words: string; readonly as: unknown }

export interface RequestFeature {
  readonly title: string
  readonly ask: Partial<Ask>
  /** What of a request shows whether it is there. */
  look(ask: Ask): unknown
}

const tools = ['find', 'count'].map((name) => ({ name, parameters: { type: 'object', properties: { word: { type: 'string' } } } }))
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }
const image = 'iVBORw0KGgoAAAANSUhEUg=='
const called = (more: { thinking?: string; failed?: true } = {}): readonly Turn[] => [
  { user: 'Where is Köln?' },
  { assistant: 'I shall look.', ...(more.thinking !== undefined && { thinking: more.thinking }), calls: [{ name: 'find', arguments: { word: 'Köln' } }, { name: 'count', arguments: {} }] },
  { result: 'seven', of: 'count' },
  { result: 'here', of: 'find', ...(more.failed && { failed: more.failed }) },
  { user: 'And?' },
]
const only = (name: keyof Ask) => (ask: Ask) => ask[name]
const chosen = (ask: Ask) => [ask.toolChoice, ask.tools?.map(({ name }) => name)]
const ofAssistant = (ask: Ask) => ask.turns.map((turn) => ('assistant' in turn ? turn.thinking : undefined)).find(Boolean)
const withoutThoughts = (ask: Ask) => ask.turns.map((turn) => ('assistant' in turn ? { said: turn.assistant, calls: turn.calls } : turn))

/** What a client can ask. */
export const requests = {
  system: { title: 'system message', ask: { system: 'Be brief' }, look: only('system') },
  history: { title: 'calls of tools and their results in earlier messages', ask: { turns: called(), tools }, look: withoutThoughts },
  failed: { title: 'that a tool failed', ask: { turns: called({ failed: true }), tools }, look: (ask) => ask.turns.some((turn) => 'failed' in turn && turn.failed) || undefined },
  thought: { title: 'what was thought, in earlier messages', ask: { turns: called({ thinking: 'Hm' }), tools }, look: ofAssistant },
  image: { title: 'image', ask: { turns: [{ user: 'What is this?', image }] }, look: only('turns') },
  tools: { title: 'tools', ask: { tools }, look: only('tools') },
  required: { title: 'a tool must be called', ask: { tools, toolChoice: 'required' }, look: only('toolChoice') },
  named: { title: 'this tool must be called', ask: { tools, toolChoice: { name: 'find' } }, look: chosen },
  none: { title: 'no tool may be called', ask: { tools, toolChoice: 'none' }, look: chosen },
  oneCall: { title: 'one call at a time', ask: { tools, oneCall: true }, look: only('oneCall') },
  schema: { title: 'answer by a JSON schema', ask: { schema }, look: only('schema') },
  json: { title: 'answer in JSON, without a schema', ask: { json: true }, look: only('json') },
  effort: { title: 'how much to think', ask: { effort: 'low' }, look: only('effort') },
  maxTokens: { title: 'most tokens of an answer', ask: { maxTokens: 4_500 }, look: only('maxTokens') },
  sampling: { title: 'temperature and top_p', ask: { temperature: 0.5, topP: 0.25 }, look: (ask) => [ask.temperature, ask.topP] },
  topK: { title: 'top_k', ask: { topK: 9 }, look: only('topK') },
  stop: { title: 'texts to stop at', ask: { stop: ['END', 'FIN'] }, look: only('stop') },
  seed: { title: 'seed', ask: { seed: 7 }, look: only('seed') },
  penalty: { title: 'penalties', ask: { penalty: 0.5 }, look: only('penalty') },
} as const satisfies Readonly<Record<string, RequestFeature>>

type RequestName = keyof typeof requests

/** What a wire has no word for. */
export const unsaid: Readonly<Record<WireName, readonly RequestName[]>> = {
  'openai-chat': ['failed', 'topK'],
  'openai-responses': ['failed', 'topK', 'stop', 'seed', 'penalty'],
  'anthropic-messages': ['json', 'seed', 'penalty'],
  gemini: ['oneCall'],
  ollama: ['failed', 'required', 'named', 'none', 'oneCall'],
}

/** What becomes of what another wire asks, where it is not kept. */
const translated: Readonly<Record<UpstreamKind, Readonly<Partial<Record<RequestName, Fate>>>>> = {
  openai: { failed: 'left out', thought: 'left out', topK: 'left out' },
  'openai-responses': { failed: 'left out', thought: 'left out', topK: 'left out', stop: 'refused', seed: 'left out', penalty: 'left out' },
  anthropic: { thought: 'left out', json: 'left out', seed: 'left out', penalty: 'left out' },
  gemini: { thought: 'left out', oneCall: 'left out' },
  ollama: {
    failed: 'left out',
    required: 'left out',
    named: { words: 'offered alone', as: [undefined, ['find']] },
    none: { words: 'no tool offered', as: [undefined, undefined] },
    oneCall: 'left out',
    effort: { words: 'as thinking on', as: 'on' },
  },
}

/** Where the same wire does not keep all: a thought that is not encrypted would be looked for in a store. */
const passed: Readonly<Partial<Record<UpstreamKind, Readonly<Partial<Record<RequestName, Fate>>>>>> = { 'openai-responses': { thought: 'left out' } }

/** What becomes of a feature of a request. `undefined`: the wire has no word for it. */
export function fateOf(feature: RequestName, wire: WireName, kind: UpstreamKind): Fate | undefined {
  if (unsaid[wire].includes(feature)) return undefined
  const isPassed = dialects.some((dialect) => dialect.wire === wire && dialect.kind === kind)
  return (isPassed ? passed : translated)[kind]?.[feature] ?? 'kept'
}

/** Do the arguments of a call come in pieces, as they are written? Else each call comes whole. */
export function streamsArguments(client: Dialect, upstream: Dialect): boolean {
  return ![client, upstream].some((dialect) => dialect === gemini || dialect === ollama)
}

/** What an upstream does before it has answered, and what its client is told. */
export const failures = {
  limited: { title: '429 with `Retry-After`', misbehaves: { kind: 'status', status: 429, retryAfter: 7 }, told: 429 },
  broken: { title: '500', misbehaves: { kind: 'status', status: 500 }, told: 503 },
  busy: { title: '503', misbehaves: { kind: 'status', status: 503 }, told: 503 },
  overloaded: { title: '529', misbehaves: { kind: 'status', status: 529 }, told: 503 },
  rejected: { title: '400', misbehaves: { kind: 'status', status: 400, message: 'too long for me' }, told: 400 },
  missing: { title: '404', misbehaves: { kind: 'status', status: 404 }, told: 404 },
  locked: { title: '401', misbehaves: { kind: 'status', status: 401 }, told: 503 },
  gone: { title: 'the connection lost', misbehaves: { kind: 'die', after: 0 }, told: 503 },
  malformed: { title: 'no JSON', misbehaves: { kind: 'malformed', after: 0 }, told: 503 },
} as const

/** The tables of docs/wires.md. */
export function survivalTables(): string {
  const kinds = dialects.map(({ kind }) => kind)
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const wordsOf = (fate: Fate) => (typeof fate === 'object' ? fate.words : fate)
  const kept = (name: RequestName, kind: UpstreamKind) => wordsOf(translated[kind][name] ?? 'kept')
  return [
    row(['what is asked', 'has no word for it', ...kinds.map((kind) => `\`${kind}\``)]),
    row(['---', '---', ...kinds.map(() => '---')]),
    ...(Object.keys(requests) as RequestName[]).map((name) =>
      row([requests[name].title, dialects.filter(({ wire }) => unsaid[wire].includes(name)).map(({ wire }) => `\`${wire}\``).join(', '), ...kinds.map((kind) => kept(name, kind))]),
    ),
    '',
    row(['before it answered, the upstream said', 'the client is told']),
    row(['---', '---']),
    ...Object.values(failures).map(({ title, told }) => row([title, String(told)])),
  ].join('\n')
}
