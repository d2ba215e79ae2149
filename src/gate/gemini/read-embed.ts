import type { EmbedCall } from '../../models/index.ts'
import { fields, present, readModel, wrong, type Fields } from '../check.ts'
import { unserved } from './known-fields.ts'

type Asked = Pick<EmbedCall, 'model' | 'input' | 'dimensions'>

/** As many as Google takes at once. */
const mostTexts = 100

/** Reads the body of embedContent. */
export function readEmbed(body: unknown, name: string): Asked {
  return readRequests([fields(body, '')], name)
}

/** Reads the body of batchEmbedContents. All vectors of a request are made by one model and have one length. */
export function readEmbedBatch(body: unknown, name: string): Asked {
  const requests = fields(body, '').list('requests')
  if (!requests || requests.length === 0 || requests.length > mostTexts) throw wrong('requests', `a list of 1 to ${mostTexts} requests`)
  return readRequests(requests.map((request, index) => fields(request, `requests[${index}]`)), name)
}

function readRequests(requests: readonly Fields[], name: string): Asked {
  const model = readModel(fields({ model: name }, ''))
  const dimensions = requests.map((request) => request.whole('outputDimensionality', 1) ?? request.whole('output_dimensionality', 1))
  if (dimensions.some((one) => one !== dimensions[0])) throw wrong('outputDimensionality', 'the same for all requests')
  return present({ model, input: requests.map((request) => textOf(request, name)), dimensions: dimensions[0] })
}

function textOf(request: Fields, name: string): string {
  const at = (field: string) => (request.path === '' ? field : `${request.path}.${field}`)
  const model = request.text('model')
  if (model !== undefined && model.replace(/^models\//, '') !== name) throw wrong(at('model'), `the model of the path, ${name}`)
  for (const field of ['taskType', 'task_type', 'title']) {
    const given = request.text(field)
    if (given !== undefined && given !== 'TASK_TYPE_UNSPECIFIED') throw unserved(at(field), 'it would make vectors that cannot be compared with those of other models and wires; leave it out')
  }
  const parts = request.object('content')?.list('parts') ?? []
  const texts = parts.map((part, index) => {
    const read = fields(part, `${at('content')}.parts[${index}]`)
    if (Object.keys(part as object).some((field) => field !== 'text')) throw unserved(read.path, 'vectors are made of text alone')
    return read.text('text') ?? ''
  })
  const text = texts.join('\n')
  if (text === '') throw wrong(at('content'), 'content with a text that is not empty')
  return text
}
