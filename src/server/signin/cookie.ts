/** Cookies know no ports: two houses on one machine would overwrite each other's without this. Under https the name itself says that no other host may set it. */
export function cookieName(origin: string): string {
  const { protocol, port } = new URL(origin)
  return protocol === 'https:' ? '__Host-castellan_session' : `castellan_session_${port}`
}

/** The value of one cookie in a request's header. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  return header?.split(';').map((pair) => pair.trim()).find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Not readable by scripts, not sent by other sites; `Secure` but for plain http on loopback, which cannot have it. */
export function setCookie(origin: string, value: string, seconds: number): string {
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  return `${cookieName(origin)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`
}
