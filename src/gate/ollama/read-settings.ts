import { Fault } from '../../kernel/fault.ts'
import type { Conversation } from '../../models/index.ts'
import { wrong, type Fields } from '../check.ts'

/** How the answer is to be made, as /api/chat and /api/generate both say it. `keep_alive` and what steers the machine are left out: a gate is not asked that. */
export function readSettings(asked: Fields): Omit<Conversation, 'messages'> {
  if (asked.flag('logprobs') || (asked.whole('top_logprobs', 0) ?? 0) > 0) throw unserved('logprobs', 'leave it out')
  const options = asked.object('options')
  const most = options?.whole('num_predict', -2)
  const topK = options?.whole('top_k', 0)
  const given = {
    temperature: options?.number('temperature', 0, 2),
    topP: options?.number('top_p', 0, 1),
    // 0 and less are without a limit there
    topK: topK === 0 ? undefined : topK,
    maxTokens: most !== undefined && most > 0 ? most : undefined,
    stop: options && readStop(options),
    seed: options?.whole('seed', Number.MIN_SAFE_INTEGER),
    presencePenalty: options?.number('presence_penalty', -2, 2),
    frequencyPenalty: options?.number('frequency_penalty', -2, 2),
    format: readFormat(asked),
    reasoning: readThink(asked),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** What would change the answer and cannot be had here. */
export function unserved(path: string, instead: string): Fault {
  return new Fault('invalid', 'request.unsupported', `${path} is not served here: ${instead}`, { param: path })
}

function readStop(options: Fields): readonly string[] | undefined {
  const stop = options.get('stop')
  const words = stop === undefined ? [] : Array.isArray(stop) ? stop : [stop]
  if (!words.every((word) => typeof word === 'string')) throw wrong(`${options.path}.stop`, 'text or a list of texts')
  return words.length === 0 ? undefined : words
}

function readFormat(asked: Fields): Conversation['format'] {
  const format = asked.get('format')
  if (format === undefined || format === '') return undefined
  if (format === 'json') return { type: 'json' }
  if (typeof format !== 'object' || Array.isArray(format)) throw wrong('format', '"json" or a JSON schema')
  return { type: 'schema', name: 'answer', schema: format as Record<string, unknown> }
}

function readThink(asked: Fields): Conversation['reasoning'] {
  const think = asked.get('think')
  if (think === undefined) return undefined
  if (typeof think === 'boolean') return think ? 'medium' : 'none'
  const effort = asked.oneOf('think', ['low', 'medium', 'high', 'max'])
  return effort === 'max' ? 'high' : effort
}
