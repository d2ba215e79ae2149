export interface Deadline {
  readonly signal: AbortSignal
  /** Lets go of the clock and of the outer signal. */
  end(): void
}

/** More than a timer of Node can count; it would fire at once. */
const longestMs = 2 ** 31 - 1

/**
 * A signal that aborts with `outer`, for its reason, or after so many milliseconds, with a `TimeoutError` like that of `AbortSignal.timeout`. That one
 * keeps its timer until it fires: at some thousand runs a second, each with ten minutes, there would be millions of them.
 */
export function deadline(outer: AbortSignal, milliseconds: number): Deadline {
  const controller = new AbortController()
  const pass = () => controller.abort(outer.reason)
  const timer = setTimeout(() => controller.abort(new DOMException('the time for it is over', 'TimeoutError')), Math.min(milliseconds, longestMs)).unref()
  if (outer.aborted) pass()
  else outer.addEventListener('abort', pass, { once: true })
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      outer.removeEventListener('abort', pass)
    },
  }
}
