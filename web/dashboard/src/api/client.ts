import { ApiProblem } from './api-problem.ts'

type Method = 'GET' | 'POST'
interface Told { ok: boolean; data?: unknown; error?: { code: string; message: string } }

let csrfToken: string | undefined

/** What every change must show besides the session's cookie. */
export function rememberToken(token: string): void {
  csrfToken = token
}

/** One call of the server; the envelope is taken off. @throws ApiProblem */
export async function ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(csrfToken !== undefined && method === 'POST' && { 'x-csrf-token': csrfToken }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiProblem('server.unreachable', 'Castellan does not answer. Is it running? Start it with: npm start', 0)
  })
  const told = (await response.json()) as Told
  if (!told.ok) throw new ApiProblem(told.error!.code, told.error!.message, response.status)
  return told.data as T
}
