import type { Pattern } from './find-known.ts'

/** Shorter values stand in many a text by chance; of longer ones the beginning will do. */
const shortest = 8
const longest = 128

/** A value as it can stand in a text: as it is, encoded, inside of something that was encoded as a whole. */
export function knownForms(name: string, value: string): Pattern[] {
  const beginning = value.slice(0, longest)
  const bytes = Buffer.from(beginning)
  if (bytes.length < shortest) return []
  const hex = bytes.toString('hex')
  const forms: [string, string][] = [
    ['as it is', beginning], ['in hexadecimal', hex], ['in hexadecimal', hex.toUpperCase()], ['escaped in a URL', encodeURIComponent(beginning.toWellFormed())], ['escaped in JSON', JSON.stringify(beginning).slice(1, -1)],
    ['escaped in a form', new URLSearchParams({ v: beginning }).toString().slice(2)], ...insideBase64(bytes).flatMap((text) => [['in base64', text], ['in base64', text.replaceAll('+', '-').replaceAll('/', '_')]] as [string, string][]),
  ]
  const distinct = new Map(forms.reverse().map(([form, text]) => [text, form]))
  return [...distinct].map(([text, form]) => ({ name: `${name}, ${form}`, bytes: Buffer.from(text) }))
}

/** What base64 makes of the bytes wherever in its groups of three they begin, without the characters that their neighbours share. */
function insideBase64(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '')
    const whole = Math.floor(((shift + bytes.length) * 8) / 6)
    return encoded.slice(Math.ceil((shift * 8) / 6), whole)
  })
}
