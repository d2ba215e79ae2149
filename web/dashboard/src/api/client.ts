import createClient, { type Middleware } from 'openapi-fetch'
import { ApiProblem } from './api-problem.ts'
import type { paths } from './schema.d.ts'

let csrfToken: string | undefined

/** What every change must show besides the session's cookie. */
export function rememberToken(token: string): void {
  csrfToken = token
}

const token: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && csrfToken !== undefined) request.headers.set('x-csrf-token', csrfToken)
  },
  onError: () => new ApiProblem('server.unreachable', 'Castellan does not answer. If it is not running, start it with: npm start', 0),
}

/** The server of this page, with the types of its OpenAPI. */
export const server = createClient<paths>({ baseUrl: window.location.origin })
server.use(token)

interface Answer<T> {
  data?: { ok: true; data: T } | undefined
  error?: unknown
  response: Response
}

/** Takes the envelope off. @throws ApiProblem */
export async function dataOf<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer
  if (data !== undefined) return data.data
  const told = (error as { error?: { code: string; message: string } } | undefined)?.error
  throw new ApiProblem(told?.code ?? 'server.odd', told?.message ?? `the server answered with ${response.status} and no word`, response.status)
}
