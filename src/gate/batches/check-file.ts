import { Fault } from '../../kernel/fault.ts'
import type { BatchError, Endpoint } from './batch-store.ts'
import { checkLine, type CheckedLine } from './check-line.ts'

type Numbered = CheckedLine & { readonly number: number }
export type CheckedFile = { readonly errors: readonly BatchError[] } | { readonly total: number; readonly models: readonly string[] }

const mostErrors = 100
const mostModels = 100

/** Reads every line of a file, and hands on those that are well formed; each that is not is named by its number. */
export async function checkFile(pages: AsyncIterable<readonly { readonly number: number; readonly body: Buffer }[]>, endpoint: Endpoint, add: (lines: readonly Numbered[]) => Promise<void>): Promise<CheckedFile> {
  const ids = new Set<string>()
  const models = new Set<string>()
  const errors: BatchError[] = []

  function check(number: number, body: Buffer): Numbered[] {
    try {
      const line = checkLine(body, endpoint)
      if (ids.has(line.customId)) throw new Fault('invalid', 'duplicate_custom_id', 'another line before has the same custom_id', { param: 'custom_id' })
      ids.add(line.customId)
      models.add(line.model)
      return [{ number, ...line }]
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      const { code, message, details: { param } } = error
      errors.push({ code, message, line: number, param: typeof param === 'string' ? param : null })
      return []
    }
  }

  for await (const page of pages) {
    const good = page.flatMap(({ number, body }) => (isBlank(body) || errors.length >= mostErrors ? [] : check(number, body)))
    // one that is wrong ends the batch, so nothing more has to be kept
    if (errors.length === 0 && good.length > 0) await add(good)
    if (errors.length >= mostErrors) break
  }
  if (errors.length > 0) return { errors }
  if (ids.size === 0) return { errors: [{ code: 'empty_file', message: 'there is no line in this file', line: null, param: 'input_file_id' }] }
  if (models.size > mostModels) return { errors: [{ code: 'too_many_models', message: `the lines of a batch name up to ${mostModels} models`, line: null, param: 'body.model' }] }
  return { total: ids.size, models: [...models] }
}

function isBlank(body: Buffer): boolean {
  return body.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
