import { formatDuration } from '../house/index.ts'

/** What undoes the act, in words for the page: until when it can be stopped, and what is left to do afterwards. */
export function rollbackOf(kind: string, connectorKind: string, holdMs: number, undo?: string): string {
  const hold = `Until ${formatDuration(holdMs)} after the approval: undo.`
  if (undo !== undefined) return `${hold} ${undo}`
  if (connectorKind === 'file') return `${hold} Afterwards: delete the file from the outbox folder, as long as nobody has taken it from there.`
  if (kind === 'mail') return `${hold} Afterwards nothing calls a mail back; write a correction to the same recipients.`
  return `${hold} Afterwards nothing is known that undoes it.`
}
