/** As much of a message as says which conversation it stands in. Every field is a stranger's word. */
export interface Threaded {
  readonly messageId: string | null
  readonly inReplyTo: string | null
  readonly references: readonly string[]
}

/** The first, which names the conversation, and the last: what lies between helps nobody. */
const mostReferences = 20

/**
 * Where an answer stands (RFC 5322, 3.6.4): the message that it answers, and the chain that leads there. What no mail program
 * writes is left out, so that no stranger can send a letter that cannot be answered.
 */
export function threadOfAnswer({ messageId, inReplyTo, references }: Threaded): { inReplyTo: string | null; references: string[] } {
  const answered = wellFormed(messageId)
  if (answered === null) return { inReplyTo: null, references: [] }
  const chain = references.length > 0 ? references : [inReplyTo]
  const known = [...new Set(chain.map(wellFormed).filter((id) => id !== null && id !== answered))] as string[]
  const before = known.length < mostReferences ? known : [known[0]!, ...known.slice(2 - mostReferences)]
  return { inReplyTo: answered, references: [...before, answered] }
}

function wellFormed(id: string | null): string | null {
  return id !== null && /^<[\x21-\x3b\x3d\x3f-\x7e]{1,498}>$/.test(id) ? id : null
}
