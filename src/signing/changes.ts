/** Tells pages that something changed, without telling what: they ask again. */
export interface Changes {
  bump(): void
  /** Resolves when the version is above `after`, or after the patience, or when the releaser stops. */
  next(after: number, patienceMs: number): Promise<number>
  close(): void
}

/** Begins with the time, so that a version of a releaser before this one is always lower. */
export function createChanges(start: Date): Changes {
  let version = start.getTime()
  let open = true
  const waiting = new Set<() => void>()
  const wakeAll = () => {
    for (const wake of [...waiting]) wake()
  }
  return {
    bump() {
      version += 1
      wakeAll()
    },
    async next(after, patienceMs) {
      if (version > after && open) return version
      if (open) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(timer)
            waiting.delete(wake)
            resolve()
          }
          const timer = setTimeout(wake, patienceMs).unref()
          waiting.add(wake)
        })
      }
      return version
    },
    close() {
      open = false
      wakeAll()
    },
  }
}
