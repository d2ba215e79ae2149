/** Ids as OpenAI's clients know them: `file-` or `batch_`, and the UUID without its dashes. */
export function toFileId(id: string): string {
  return `file-${id.replaceAll('-', '')}`
}

export function toBatchId(id: string): string {
  return `batch_${id.replaceAll('-', '')}`
}

/** Of one line of a batch. */
export function toLineId(batch: string, number: number): string {
  return `batch_req_${batch.replaceAll('-', '')}_${number}`
}

/** The UUID of such an id, or nothing. */
export function uuidOf(prefix: 'file-' | 'batch_', id: unknown): string | undefined {
  if (typeof id !== 'string' || !id.startsWith(prefix)) return undefined
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(id.slice(prefix.length))
  return parts?.slice(1).join('-')
}
