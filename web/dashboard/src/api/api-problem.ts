/** What the server refused or could not do, in its words; `server.unreachable` when it did not answer at all. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status: number) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** The sentence to show for whatever went wrong. */
export function sentenceOf(error: unknown): string {
  if (error instanceof ApiProblem) return error.message
  return error instanceof Error ? error.message : String(error)
}
