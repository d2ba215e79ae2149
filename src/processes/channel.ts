/** The line between a process and `up`: JSON messages both ways. */
export interface Channel {
  /** What cannot be delivered any more is lost: a hint that nobody needs now. */
  send(message: object): void
  onMessage(listener: (message: object) => void): void
  /** `up` is gone. */
  onClose(listener: () => void): void
  /** Milliseconds that a SIGTERM leaves for finishing what is under way. */
  readonly termDeadlineMs: number
  /** With what a process ends after `up` has gone, so that who starts it knows whether to start it again. */
  readonly orphanExit: number
}

/** The channel that comes with being started by `up`. It ends what it started by itself, so a signal means that `up` is dying too. */
export function inheritedChannel(): Channel {
  return {
    send: (message) => {
      if (process.connected) process.send!(message, () => {})
    },
    onMessage: (listener) => void process.on('message', listener),
    onClose: (listener) => {
      // `up` went while this process was starting, and says so no second time; undefined where there never was a channel
      if (process.connected === false) listener()
      else process.on('disconnect', listener)
    },
    termDeadlineMs: 2_000,
    orphanExit: 0,
  }
}
