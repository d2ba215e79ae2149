import type { SourceSettings } from '../house/index.ts'
import { parseBoundedJson } from '../kernel/bounded-json.ts'
import { Fault } from '../kernel/fault.ts'

/** What came back, as it came. */
export interface Fetched {
  /** Of HTTP, or the exit code of a command. */
  readonly status: number
  readonly media: string
  readonly body: Buffer
}

/** What a failed fetch is called in the ledger is its code without the `source.`; `status` and `bytes` go there as well. */
export function fetchFault(kind: Fault['kind'], reason: string, message: string, details: { status?: number; bytes?: number } = {}, cause?: unknown): Fault {
  return new Fault(kind, `source.${reason}`, message, details, cause)
}

const strict = new TextDecoder('utf-8', { fatal: true })

/** An answer that is not what the source declares takes the place of none that is. @throws Fault `source.format` */
export function checkFormat({ name, format }: Pick<SourceSettings, 'name' | 'format'>, { status, body }: Fetched): void {
  if (format === 'bytes' || (format === 'json' ? parseBoundedJson(body) !== undefined : isText(body))) return
  throw fetchFault('invalid', 'format', `${name} answered something that is not ${format === 'json' ? 'JSON' : 'text in UTF-8'}; the snapshot stays as it was. Look what it answers, and declare its \`format\``, { status, bytes: body.length })
}

function isText(body: Buffer): boolean {
  try {
    return !strict.decode(body).includes('\0')
  } catch {
    return false
  }
}

/** The secret, as one line that can stand in a header or a file. @throws Fault `source.secret` */
export function secretOf(name: string, value: string | undefined): string {
  if (value !== undefined && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return value
  throw fetchFault('refused', 'secret', `there is no secret ${name}, or it is not one line of ASCII; nothing was asked. Put it into $CASTELLAN_HOME/secrets/${name} and start Castellan again`)
}
