import type { Logger } from '../kernel/log.ts'

export interface Loop {
  /** Does the work now, or once more when it is being done. */
  wake(): void
  /** Resolves when the work that is being done is done. */
  stop(): Promise<void>
}

const longestPauseMs = 30_000

/**
 * Does a piece of work again and again, never twice at a time. `work` answers when it wants to be called again without
 * being woken, in milliseconds. After an error it is called again later and later; `fatal` may end that.
 */
export function startLoop(name: string, log: Logger, work: () => Promise<number>, fatal: (error: unknown) => void = () => {}): Loop {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let stopped = false
  let failures = 0

  async function run(): Promise<void> {
    again = false
    let pause: number
    try {
      pause = await work()
      failures = 0
    } catch (error) {
      failures += 1
      pause = Math.min(longestPauseMs, 500 * 2 ** failures)
      // of a failure that lasts, the log says the first and then ever fewer
      if (Number.isInteger(Math.log2(failures))) log.error({ err: error, failures }, `${name} failed; trying again`)
      fatal(error)
    }
    running = undefined
    if (stopped) return
    if (again && failures === 0) start()
    else timer = setTimeout(start, pause)
  }

  function start(): void {
    clearTimeout(timer)
    running ??= run()
  }

  start()
  return {
    wake() {
      again = true
      if (running === undefined && !stopped && failures === 0) start()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
