import { fields, readModel, wrong } from '../check.ts'
import type { Endpoint } from './batch-store.ts'

/** A line of a batch, as far as it is looked at before it is asked. */
export interface CheckedLine {
  readonly customId: string
  readonly model: string
  readonly body: Readonly<Record<string, unknown>>
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads a line. What is in the body is read when it is asked. @throws Fault `request.invalid` */
export function checkLine(bytes: Uint8Array, endpoint: Endpoint): CheckedLine {
  const line = fields(parse(bytes), 'line')
  const customId = line.text('custom_id')
  if (customId === undefined || !isSpeakable(customId, 256)) throw wrong('custom_id', 'a text of up to 256 characters by which the answer is known')
  if (line.get('method') !== 'POST') throw wrong('method', 'POST')
  if (line.get('url') !== endpoint) throw wrong('url', `${endpoint}, as the batch says`)
  const body = line.object('body')
  if (!body) throw wrong('body', 'the object that would be posted')
  const model = readModel(fields(line.get('body'), ''))
  if (!isSpeakable(model, 200)) throw wrong('body.model', 'the name of a model')
  if (body.flag('stream')) throw wrong('body.stream', 'false: nobody reads a stream of a batch')
  return { customId, model, body: line.get('body') as Record<string, unknown> }
}

/** The database keeps it as it is. */
function isSpeakable(text: string, most: number): boolean {
  return text.length > 0 && text.length <= most && text.isWellFormed() && !/\p{Cc}/u.test(text)
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw wrong('the line', 'JSON in UTF-8')
  }
}
