import type { IncomingHttpHeaders } from 'node:http'
import { checkDirect, checkExposed, type Exposure } from '../../kernel/exposure.ts'
import { Fault } from '../../kernel/fault.ts'

export interface NamesDeps {
  /** Where the page comes from on this machine, e.g. `http://127.0.0.1:7400`. */
  origin(): string
  /** Where it comes from on others, as the house says now. */
  exposed?(): ExposedPage | null
}

export interface ExposedPage extends Exposure {
  readonly origin: string
}

export interface OwnNames {
  /** Before anything else is looked at. @throws Fault `host.unknown` and those of `kernel/exposure.ts` */
  admit(headers: IncomingHttpHeaders): void
  /** The origin that a page has which sends this, to the port. @throws Fault `host.unknown` */
  originOf(headers: IncomingHttpHeaders): string
  /** Is this the name, to the port, of such a page? */
  isOwn(headers: IncomingHttpHeaders): boolean
}

/** The names that this server answers to: those of the machine without a proxy, the one of the mesh through one. */
export function createOwnNames({ origin, exposed = () => null }: NamesDeps): OwnNames {
  const page = (host: string | undefined) => {
    const found = exposed()
    return found && host === new URL(found.origin).host ? found : undefined
  }
  const isOwn = ({ host }: IncomingHttpHeaders) => page(host) !== undefined || host === new URL(origin()).host
  return {
    isOwn,
    admit(headers) {
      const found = page(headers.host)
      if (found) return checkExposed(headers, found.origin, found)
      // a page elsewhere whose name was made to point here (DNS rebinding) shows itself by its name
      if (!isLoopbackName(headers.host)) throw new Fault('refused', 'host.unknown', 'this server answers to 127.0.0.1 and localhost, and to the name that `expose.server` in castellan.yaml gives it')
      checkDirect(headers)
    },
    originOf(headers) {
      if (isOwn(headers)) return page(headers.host)?.origin ?? origin()
      throw new Fault('refused', 'host.unknown', `this is ${origin()}, and answers to nothing else`)
    },
  }
}

function isLoopbackName(host: string | undefined): boolean {
  return host !== undefined && /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host)
}
