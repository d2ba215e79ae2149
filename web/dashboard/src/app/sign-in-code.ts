/** Takes the one-time code out of `#signin=CODE`, so that it stays in neither the address nor the history. */
export function takeCode(
  location: { readonly hash: string; readonly pathname: string; readonly search: string },
  history: { replaceState(data: unknown, unused: string, url: string): void },
): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get('signin') ?? undefined
  if (code !== undefined) history.replaceState(null, '', location.pathname + location.search)
  return code === '' ? undefined : code
}
