import { Fault } from '../../src/kernel/fault.ts'

/** What became of an attempt, read off what happened: never what was expected of it. */
export type Outcome = { readonly stopped: string } | { readonly got: string }

export interface Attack {
  /** Said as what the attacker does. */
  readonly name: string
  attempt(): Promise<Outcome> | Outcome
}

export interface Family {
  readonly name: string
  /** Why it cannot be tried on this machine. */
  readonly skip?: string | false
  /** So many at a time, where each waits for something. */
  readonly together?: number
  /** Makes ready what all of its attacks need, and says what they are. */
  attacks(): Promise<readonly Attack[]> | readonly Attack[]
}

export const stopped = (by: string): Outcome => ({ stopped: by })
export const got = (what: string): Outcome => ({ got: what })

/** What the refusal of a thing says of itself: a fault by its code, PostgreSQL by its SQLSTATE, the kernel by its errno. */
export function refusalOf(error: unknown): string {
  if (error instanceof Fault) return `fault ${error.code}`
  const { code, message, constraint } = error as { code?: string; message?: string; constraint?: string }
  // a statement that PostgreSQL does not understand was no attack
  if (code !== undefined && /^42(?!501)/.test(code)) throw error
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code)) return `SQLSTATE ${code}${constraint === undefined ? '' : ` constraint ${constraint}`}: ${brief(message)}`
  return code === undefined ? brief(message ?? String(error)) : `${code}: ${brief(message)}`
}

/** The attacker reached his aim unless this refuses. */
export async function refused(work: () => Promise<unknown>, aim = 'it was done'): Promise<Outcome> {
  try {
    const said = await work()
    return got(`${aim}${said === undefined ? '' : `: ${brief(JSON.stringify(said))}`}`)
  } catch (error) {
    return stopped(refusalOf(error))
  }
}

export function brief(text: string | undefined, length = 160): string {
  const line = (text ?? '').replace(/\s+/g, ' ').trim()
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}
