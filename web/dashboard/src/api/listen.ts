const againMs = 3_000

interface Listening {
  /** The server can be heard, or no longer. */
  readonly onState: (connected: boolean) => void
  readonly on: Readonly<Record<string, (data: unknown) => void>>
}

/**
 * Listens to server-sent events until it is told to stop. The browser comes back by itself, with the id of the last event,
 * when a connection breaks; when the server answered with an error instead, it gives up, and we begin anew.
 */
export function listen(path: string, { onState, on }: Listening): () => void {
  let source: EventSource | undefined
  let timer: number | undefined
  const open = () => {
    timer = undefined
    source = new EventSource(path)
    source.addEventListener('open', () => onState(true))
    source.addEventListener('error', () => {
      onState(false)
      if (source?.readyState === EventSource.CLOSED) timer ??= window.setTimeout(open, againMs)
    })
    for (const [event, hear] of Object.entries(on)) source.addEventListener(event, ({ data }: MessageEvent<string>) => hear(JSON.parse(data)))
  }
  open()
  return () => {
    window.clearTimeout(timer)
    source?.close()
  }
}
