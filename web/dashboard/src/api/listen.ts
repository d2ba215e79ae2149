const againMs = 3_000

interface Listening {
  /** The server can be heard, or no longer. */
  readonly onState: (connected: boolean) => void
  readonly on: Readonly<Record<string, (data: unknown) => void>>
}

/**
 * Listens to server-sent events until it is told to stop. The browser comes back by itself, with the id of the last event,
 * when a connection breaks; when the server answered with an error instead, it gives up, and we begin anew.
 * A tab in the background does not listen: a browser has six connections to a server, for all tabs together.
 */
export function listen(path: string, { onState, on }: Listening): () => void {
  let source: EventSource | undefined
  let timer: number | undefined

  function open(): void {
    const opened = new EventSource(path)
    source = opened
    opened.addEventListener('open', () => onState(true))
    opened.addEventListener('error', () => {
      onState(false)
      if (opened.readyState === EventSource.CLOSED && source === opened) timer = window.setTimeout(open, againMs)
    })
    for (const [event, hear] of Object.entries(on)) opened.addEventListener(event, ({ data }: MessageEvent<string>) => hear(JSON.parse(data)))
  }

  function close(): void {
    window.clearTimeout(timer)
    source?.close()
    source = undefined
  }

  function onVisibility(): void {
    close()
    if (document.hidden) onState(false)
    else open()
  }

  document.addEventListener('visibilitychange', onVisibility)
  if (!document.hidden) open()
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    close()
  }
}
