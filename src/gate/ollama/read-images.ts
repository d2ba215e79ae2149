import type { ContentPart } from '../../models/index.ts'
import { wrong, type Fields } from '../check.ts'

/** How files of these kinds begin, in base64. Ollama's wire does not say of what kind an image is, and others want to know. */
const beginnings: readonly (readonly [RegExp, string])[] = [
  [/^iVBORw0KGgo/, 'image/png'],
  [/^\/9j\//, 'image/jpeg'],
  [/^R0lGOD/, 'image/gif'],
  [/^UklGR.{6}XRUJQ/, 'image/webp'],
]

/** `images` of a message or a request: bytes as base64, never an address or a path. */
export function readImages(asked: Fields): Extract<ContentPart, { type: 'image' }>[] {
  return (asked.list('images') ?? []).map((data, index) => {
    const isBase64 = typeof data === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(data)
    const mediaType = isBase64 ? beginnings.find(([begins]) => begins.test(data))?.[1] : undefined
    if (!isBase64 || mediaType === undefined) throw wrong(`${asked.path === '' ? '' : `${asked.path}.`}images[${index}]`, 'a PNG, JPEG, GIF or WebP image as base64, without a data: URL around it')
    return { type: 'image', mediaType, data }
  })
}
