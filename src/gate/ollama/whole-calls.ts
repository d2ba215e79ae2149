import type { ChatChunk } from '../../models/index.ts'

/** Clients of this wire take a call whole only, with its arguments as an object; fragments of several may alternate. */
export function createCalls() {
  const calls = new Map<number, { id: string; name: string; arguments: string }>()
  return {
    add({ index, id, name, arguments: text }: Extract<ChatChunk, { kind: 'tool_call' }>): void {
      const known = calls.get(index) ?? { id: id ?? '', name: '', arguments: '' }
      calls.set(index, { id: known.id, name: known.name || (name ?? ''), arguments: known.arguments + text })
    },
    /** Those that are there, which are not told again. */
    take(): object[] {
      const whole = [...calls].map(([index, { id, name, arguments: text }]) => ({ id, function: { index, name, arguments: objectOf(text) } }))
      calls.clear()
      return whole
    },
  }
}

/** A model may have written what is no object. */
function objectOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { value }
  } catch {
    return { arguments: text }
  }
}
