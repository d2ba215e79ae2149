import type { EmbedCall } from '../../models/index.ts'
import { fields, present, readModel, wrong } from '../check.ts'

/** A request of OpenAI's embeddings, as far as Castellan serves it. */
export interface AskedEmbeddings extends Pick<EmbedCall, 'model' | 'input' | 'dimensions'> {
  readonly encoding: 'float' | 'base64'
}

/** As many as OpenAI takes. */
const mostTexts = 2_048

/** Reads the body of POST /v1/embeddings. Texts only: what a list of tokens says could be seen by nobody here. */
export function readEmbeddings(body: unknown): AskedEmbeddings {
  const asked = fields(body, '')
  const model = readModel(asked)
  const given = asked.get('input')
  const input: unknown[] = Array.isArray(given) ? given : [given]
  const isText = (text: unknown): text is string => typeof text === 'string' && text !== ''
  if (input.length === 0 || input.length > mostTexts || !input.every(isText)) throw wrong('input', `a text or a list of up to ${mostTexts} texts, none of them empty; tokens are not served`)
  return present({
    model,
    input,
    dimensions: asked.whole('dimensions', 1),
    encoding: asked.oneOf('encoding_format', ['float', 'base64']) ?? 'float',
  })
}
