import { Fault } from '../../../kernel/fault.ts'

/** What a failed request means for a delivery. */
const codes: Readonly<Record<string, string>> = { 'http.refused': 'connector.not_sent', 'http.try_again': 'connector.try_again', 'http.unknown': 'connector.unknown' }

/** Says of a request that failed what the outbox calls it. */
export async function asDelivery<T>(request: Promise<T>): Promise<T> {
  try {
    return await request
  } catch (error) {
    const code = error instanceof Fault ? codes[error.code] : undefined
    if (!(error instanceof Fault) || code === undefined) throw error
    throw new Fault(error.kind, code, error.message, error.details, error.cause ?? error)
  }
}
