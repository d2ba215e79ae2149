/** Levels of lists and objects within each other; more than any sender means well with. */
const deepest = 64

/** Strict UTF-8: bytes that are none would be other bytes after a look at them. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A stranger's JSON. Undefined when it is none, not UTF-8, or so deep that who walks through it could fall. */
export function parseBoundedJson(bytes: Uint8Array): { readonly value: unknown } | undefined {
  if (depthOf(bytes) > deepest) return undefined
  try {
    return { value: JSON.parse(decoder.decode(bytes)) }
  } catch {
    return undefined
  }
}

const [quote, backslash, openList, closeList, openObject, closeObject] = [...'"\\[]{}'].map((character) => character.charCodeAt(0))

/** Counts brackets outside of texts, without recursion; every byte of a longer UTF-8 character is above these. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let most = 0
  let inText = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (inText) {
      if (byte === backslash) at++
      else if (byte === quote) inText = false
    } else if (byte === quote) inText = true
    else if (byte === openList || byte === openObject) most = Math.max(most, ++depth)
    else if (byte === closeList || byte === closeObject) depth--
  }
  return most
}
