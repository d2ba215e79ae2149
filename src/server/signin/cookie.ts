/** Cookies know no ports: two houses on one machine would overwrite each other's without this. */
export const cookieName = (port: string): string => `castellan_session_${port}`

/** The value of one cookie in a request's header. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  return header?.split(';').map((pair) => pair.trim()).find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Not readable by scripts, not sent by other sites. Without `Secure`, which plain http on loopback cannot have. */
export function setCookie(name: string, value: string, seconds: number): string {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict`
}
