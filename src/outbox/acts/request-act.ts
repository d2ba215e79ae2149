import type { ActFrame } from './outbound-act.ts'

interface RequestAct extends ActFrame {
  readonly method: string
  /** Whole: scheme, host, path and query. */
  readonly url: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly body: string | null
  /** What the releaser adds to it and the signature does not fix, in words. */
  readonly adds: string
}

/** A notice to one address, signed so that its receiver can tell it from others. */
export interface WebhookAct extends RequestAct {
  readonly kind: 'webhook'
}

export interface HttpRequestAct extends RequestAct {
  readonly kind: 'http.request'
}

export const requestShape = {
  method: 'string', url: 'string', headers: { list: { fields: { name: 'string', value: 'string' } } }, body: 'text or null', adds: 'string',
} as const

export function wordsOfRequest({ kind, method, url, headers, body, adds }: WebhookAct | HttpRequestAct): string {
  return [
    `${kind === 'webhook' ? 'Notify' : 'Ask'} ${new URL(url).host}: ${method} ${url}`,
    ...headers.map(({ name, value }) => `${name}: ${value}`),
    adds,
    'Redirects are not followed.',
    '',
    ...(body === null ? ['(no body)'] : [readable(body)]),
    '',
  ].join('\n')
}

/** JSON over several lines, where that says the very same; anything else as it is. */
function readable(body: string): string {
  try {
    const value: unknown = JSON.parse(body)
    return JSON.stringify(value) === body ? JSON.stringify(value, null, 2) : body
  } catch {
    return body
  }
}
