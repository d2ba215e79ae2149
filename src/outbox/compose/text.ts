import { Fault } from '../../kernel/fault.ts'

// C0, DEL, C1, the line and paragraph separators: each could end a header line for some reader
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u
// overrides, embeddings and isolates show a text in another order than its bytes (CVE-2021-42574)
const reordering = /[\u202a-\u202e\u2066-\u2069]/u
// in a body, tab and line feed are text
const bodyControls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u

/**
 * A single line that shows as what it is; nothing is cleaned away, because a field that holds such a character was built to deceive.
 * @throws Fault `mail.control`
 */
export function refuseControls(field: string, text: string): void {
  if (!text.isWellFormed()) throw new Fault('invalid', 'mail.control', `${field} holds half of a character (a lone surrogate)`)
  const found = controls.exec(text) ?? reordering.exec(text)
  if (found) throw new Fault('invalid', 'mail.control', `${field} holds the control character ${codeOf(found[0])}; a field is one line of visible text`)
}

/** The text of a body with LF line ends. @throws Fault `mail.control` */
export function readBody(field: string, text: string): string {
  if (!text.isWellFormed()) throw new Fault('invalid', 'mail.control', `${field} holds half of a character (a lone surrogate)`)
  const body = text.replaceAll('\r\n', '\n')
  const found = bodyControls.exec(body) ?? reordering.exec(body)
  if (found) throw new Fault('invalid', 'mail.control', `${field} holds the control character ${codeOf(found[0])}; only tabs and line ends are allowed`)
  return body
}

function codeOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}
