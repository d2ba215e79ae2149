import { dataOf, rememberToken, server } from './client.ts'

/** Who this browser is signed in as; the token that its changes must show is kept in memory alone. */
export async function readSession() {
  const session = await dataOf(server.GET('/api/session'))
  rememberToken(session.csrf)
  return session
}

/** Uses a sign-in code up. */
export async function openSession(code: string) {
  const session = await dataOf(server.POST('/api/signin', { body: { code } }))
  rememberToken(session.csrf)
  return session
}

export const signOut = () => dataOf(server.POST('/api/signout'))
